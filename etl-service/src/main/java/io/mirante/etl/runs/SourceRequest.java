package io.mirante.etl.runs;

import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.remote.Credentials;
import io.mirante.etl.remote.Place;
import io.mirante.etl.remote.PostgresPlace;
import io.mirante.etl.remote.S3Place;
import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.swagger.v3.oas.annotations.media.Schema;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A source elsewhere, as a caller describes it: {@code s3} has format, bucket, prefix, region or endpoint and the keys; {@code
 * postgresql} has host, port, database, user, password, a table or a query, a watermark and tls. Never printed.
 */
record SourceRequest(
        @Nullable String name,
        @Nullable String kind,
        @Nullable String format,
        @Nullable String bucket,
        @Nullable String prefix,
        @Nullable String region,
        @Nullable String endpoint,
        @Nullable String accessKey,
        @Nullable String secretKey,
        @Nullable String host,
        @Nullable Integer port,
        @Nullable String database,
        @Nullable String user,
        @Nullable String password,
        @Nullable String table,
        @Nullable String query,
        @Nullable String watermark,
        @Nullable String tls,
        @Schema(type = "object") @Nullable JsonNode shape) {

    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}][\\p{L}\\p{N} ._-]{0,99}");
    private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
    private static final Pattern REGION = Pattern.compile("[a-z0-9][a-z0-9-]{1,39}");
    private static final Pattern HOST =
            Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:.]{2,45}");
    private static final Pattern TEXT = Pattern.compile("\\P{Cc}+");
    private static final String SOME_REGION = "us-east-1";
    private static final int POSTGRES_PORT = 5432;
    private static final int MAX_KEY = 1_024;
    private static final int MAX_NAME = 63;
    private static final int MAX_QUERY = 20_000;

    /** A request that is complete. */
    record Valid(Source source, Credentials credentials) {

        /** The host, where the caller gave one, and the field it stands in. */
        @Nullable Target target() {
            return switch (Objects.requireNonNull(source.place())) {
                case S3Place s3 ->
                        s3.endpoint() == null
                                ? null
                                : new Target(
                                        "/endpoint",
                                        Destinations.hostOf(URI.create(s3.endpoint())));
                case PostgresPlace postgres -> new Target("/host", postgres.host());
            };
        }

        @Override
        public String toString() {
            return source.toString();
        }
    }

    /** A host that a caller gave, and the field it stands in. */
    record Target(String pointer, String host) {}

    /**
     * Checks everything that can be seen without connecting.
     *
     * @throws ProblemException 400 with every field that is wrong
     */
    Valid validated() {
        var errors = new ArrayList<FieldError>();
        nameError(name).ifPresent(errors::add);
        Place place = null;
        String key = "";
        String secret = "";
        switch (Objects.requireNonNullElse(kind, "")) {
            case Source.S3 -> {
                unused(Source.S3, ofPostgres(), errors);
                place = s3(errors);
                key = text("/access_key", accessKey, MAX_KEY, errors);
                secret = text("/secret_key", secretKey, MAX_KEY, errors);
            }
            case Source.POSTGRESQL -> {
                unused(Source.POSTGRESQL, ofS3(), errors);
                place = postgres(errors);
                key = text("/user", user, MAX_NAME, errors);
                secret = text("/password", password, MAX_KEY, errors);
            }
            default ->
                    errors.add(
                            new FieldError(
                                    "/kind",
                                    kind == null ? "required" : "unknown",
                                    "kind must be s3 or postgresql; a file is uploaded as multipart/form-data"));
        }
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new Valid(
                new Source(
                        Objects.requireNonNull(name).strip(),
                        Objects.requireNonNull(kind),
                        format,
                        null,
                        null,
                        null,
                        place,
                        null,
                        null,
                        ShapeText.read(shape == null || shape.isNull() ? null : shape.toString()),
                        Instant.now().truncatedTo(ChronoUnit.MICROS)),
                new Credentials(key, secret));
    }

    /** What is wrong with a source's name, if anything. */
    static Optional<FieldError> nameError(@Nullable String name) {
        return name != null
                        && NAME.matcher(name.strip()).matches()
                        && !name.strip().equals("events")
                ? Optional.empty()
                : Optional.of(
                        new FieldError(
                                "/name",
                                name == null ? "required" : "invalid",
                                "name must have 1 to 100 letters, digits, spaces, dots, dashes or underscores, begin with a letter"
                                        + " or digit, and not be events"));
    }

    private LinkedHashMap<String, @Nullable Object> ofS3() {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        fields.put("format", format);
        fields.put("bucket", bucket);
        fields.put("prefix", prefix);
        fields.put("region", region);
        fields.put("endpoint", endpoint);
        fields.put("access_key", accessKey);
        fields.put("secret_key", secretKey);
        return fields;
    }

    private LinkedHashMap<String, @Nullable Object> ofPostgres() {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        fields.put("host", host);
        fields.put("port", port);
        fields.put("database", database);
        fields.put("user", user);
        fields.put("password", password);
        fields.put("table", table);
        fields.put("query", query);
        fields.put("watermark", watermark);
        fields.put("tls", tls);
        return fields;
    }

    private static void unused(
            String kind, LinkedHashMap<String, @Nullable Object> fields, List<FieldError> errors) {
        fields.forEach((field, value) -> {
            if (value != null) {
                errors.add(
                        new FieldError(
                                "/" + field,
                                "not_used",
                                "%s is not for sources of kind %s; leave it out"
                                        .formatted(field, kind)));
            }
        });
    }

    private S3Place s3(List<FieldError> errors) {
        if (format == null || FileFormat.of(format).isEmpty()) {
            errors.add(
                    new FieldError(
                            "/format",
                            format == null ? "required" : "unknown",
                            "format must be csv, ndjson, json or parquet"));
        }
        if (bucket == null || !BUCKET.matcher(bucket).matches()) {
            errors.add(
                    new FieldError(
                            "/bucket",
                            bucket == null ? "required" : "invalid",
                            "bucket must be a bucket's name: 3 to 63 lower-case letters, digits, dots and dashes"));
        }
        var keys = Objects.requireNonNullElse(prefix, "");
        if (keys.length() > MAX_KEY) {
            errors.add(
                    new FieldError(
                            "/prefix",
                            "out_of_range",
                            "prefix must have at most %d characters".formatted(MAX_KEY)));
        }
        if (region == null ? endpoint == null : !REGION.matcher(region).matches()) {
            errors.add(
                    new FieldError(
                            "/region",
                            region == null ? "required" : "invalid",
                            "region must be given, such as eu-central-1; only with an endpoint it may be left out"));
        }
        var wrong = endpoint == null ? null : endpointProblem(endpoint);
        if (wrong != null) {
            errors.add(new FieldError("/endpoint", "invalid", wrong));
        }
        return new S3Place(
                Objects.requireNonNullElse(bucket, ""),
                keys,
                Objects.requireNonNullElse(region, SOME_REGION),
                endpoint);
    }

    private static @Nullable String endpointProblem(String endpoint) {
        try {
            var url = Destinations.parse(endpoint);
            var path = Objects.requireNonNullElse(url.getRawPath(), "");
            return (path.isEmpty() || path.equals("/"))
                            && url.getRawQuery() == null
                            && url.getRawFragment() == null
                    ? null
                    : "endpoint must end after its host and port; bucket and prefix say the rest";
        } catch (IllegalArgumentException e) {
            return "endpoint: " + e.getMessage();
        }
    }

    private PostgresPlace postgres(List<FieldError> errors) {
        if (host == null || !HOST.matcher(host).matches()) {
            errors.add(
                    new FieldError(
                            "/host",
                            host == null ? "required" : "invalid",
                            "host must be one name or address, without port or brackets"));
        }
        if (port != null && (port < 1 || port > 65_535)) {
            errors.add(new FieldError("/port", "out_of_range", "port must be 1 to 65535"));
        }
        var named = text("/database", database, MAX_NAME, errors);
        if ((table == null) == (query == null)) {
            errors.add(
                    new FieldError(
                            "/table",
                            table == null ? "required" : "not_used",
                            "either table or query must be given"));
        } else if (table != null && !isTable(table)) {
            errors.add(
                    new FieldError(
                            "/table",
                            "invalid",
                            "table must be table or schema.table, as PostgreSQL stores the names; case counts"));
        }
        var statement = query == null ? null : query.strip().replaceFirst(";$", "").strip();
        if (statement != null
                && (statement.isEmpty()
                        || statement.length() > MAX_QUERY
                        || statement.indexOf(0) >= 0)) {
            errors.add(
                    new FieldError(
                            "/query",
                            "out_of_range",
                            "query must be one SELECT statement of at most %d characters"
                                    .formatted(MAX_QUERY)));
        }
        if (watermark != null && !isName(watermark)) {
            errors.add(
                    new FieldError(
                            "/watermark",
                            "invalid",
                            "watermark must be the name of a column, as PostgreSQL stores it"));
        }
        if (tls != null && !PostgresPlace.TLS.contains(tls)) {
            errors.add(
                    new FieldError(
                            "/tls",
                            "unknown",
                            "tls must be one of " + String.join(", ", PostgresPlace.TLS)));
        }
        return new PostgresPlace(
                Objects.requireNonNullElse(host, ""),
                Objects.requireNonNullElse(port, POSTGRES_PORT),
                named,
                table,
                statement,
                watermark,
                Objects.requireNonNullElse(tls, PostgresPlace.TLS.getFirst()));
    }

    private static boolean isTable(String table) {
        var parts = table.split("\\.", -1);
        return parts.length <= 2 && List.of(parts).stream().allMatch(SourceRequest::isName);
    }

    private static boolean isName(String name) {
        return name.length() <= MAX_NAME && TEXT.matcher(name).matches();
    }

    private static String text(
            String pointer, @Nullable String value, int longest, List<FieldError> errors) {
        if (value == null || value.length() > longest || !TEXT.matcher(value).matches()) {
            errors.add(
                    new FieldError(
                            pointer,
                            value == null ? "required" : "invalid",
                            "%s must have 1 to %d characters"
                                    .formatted(pointer.substring(1), longest)));
        }
        return Objects.requireNonNullElse(value, "");
    }

    @Override
    public String toString() {
        return "source %s of kind %s".formatted(name, kind);
    }
}
