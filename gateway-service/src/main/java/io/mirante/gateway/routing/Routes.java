package io.mirante.gateway.routing;

import static io.mirante.gateway.routing.Service.ALERT;
import static io.mirante.gateway.routing.Service.CHURN;
import static io.mirante.gateway.routing.Service.ETL;
import static io.mirante.gateway.routing.Service.GATEWAY;
import static io.mirante.gateway.routing.Service.INDUSTRY40;
import static io.mirante.gateway.routing.Service.INGESTION;
import static io.mirante.gateway.routing.Service.SEGMENTATION;
import static io.mirante.gateway.routing.Service.SNAPSHOT;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.server.PathContainer;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;

/**
 * Who answers: the whole table, first match wins, fixed words before variables. A row is a path pattern, with the methods
 * it is for when it is not for all. What no row matches is 404. Thread-safe.
 */
public final class Routes {

    private static final String API = "/api/v1";

    private static final List<Row> TABLE =
            new Table()
                    .root(GATEWAY, "/health", "/health/*", "/metrics", "/docs/**")
                    .api(GATEWAY, "/admin/**", "/retention", "DELETE /users/{id}")
                    .api(
                            INGESTION,
                            "/events",
                            "/events/batch",
                            "/events/import",
                            "/events/rejected/**",
                            "/events/{id}/trace",
                            "POST /industry40/iot/ingest")
                    .root(INGESTION, "/v1/*")
                    .api(ETL, "/etl/**", "/features/**", "/quality/**", "/users/{id}/identities/**")
                    .api(
                            SEGMENTATION,
                            "/users/{id}",
                            "/users/{id}/segment",
                            "/users/{id}/similar",
                            "/fans/**",
                            "/segments/**",
                            "/kpis/**",
                            "/notifications/**",
                            "/vectors/**")
                    .api(
                            CHURN,
                            "/users/{id}/predictions",
                            "/predict/**",
                            "/predictions/**",
                            "/models/**")
                    .api(INDUSTRY40, "/industry40/**")
                    .api(
                            SNAPSHOT,
                            "/users/{id}/events",
                            "/users/{id}/sessions",
                            "/analytics/**",
                            "/export",
                            "/snapshots/**",
                            "/metrics/catalog",
                            "/dimensions",
                            "/views/**",
                            "/dashboards/**",
                            "POST|GET /jobs",
                            "/live")
                    .root(SNAPSHOT, "/ws", "/graphql", "/graphiql")
                    .api(ALERT, "/alerts/**")
                    .byIdPrefix("/jobs/{id}/**")
                    .rows();

    private static final List<PathPattern> STREAMED_IN =
            patterns("/events/import", "/etl/sources", "/predict/batch", "/models/{kind}/train");
    private static final List<PathPattern> UNTIMED =
            patterns(
                    "/events/import",
                    "/etl/sources",
                    "/predict/batch",
                    "/models/{kind}/train",
                    "/export",
                    "/live",
                    "//ws",
                    "//graphql");

    /** What every service answers for itself: it goes to the one that the query names. */
    private static final List<PathPattern> OF_SERVICE_NAMED =
            patterns("/admin/dead-letters", "/admin/dead-letters/replay");

    private Routes() {}

    /**
     * Where a request goes.
     *
     * @param timed answered 504 when the service takes too long
     * @param bodyLimited the body must not be larger than the gateway's limit
     * @param pattern of its paths, for the metrics
     */
    public record Route(Service service, boolean timed, boolean bodyLimited, String pattern) {}

    /**
     * One row; {@code service} is null where the id's prefix names it.
     *
     * @param methods empty = all
     */
    record Row(@Nullable Service service, Set<String> methods, PathPattern pattern) {

        boolean matches(String method, PathContainer path) {
            return (methods.isEmpty() || methods.contains(method)) && pattern.matches(path);
        }

        @Nullable Service serviceOf(PathContainer path) {
            if (service != null) {
                return service;
            }
            var match = pattern.matchAndExtract(path);
            var id = match == null ? "" : match.getUriVariables().getOrDefault("id", "");
            int end = id.indexOf('_');
            return end < 0 ? null : Service.ofId(id.substring(0, end)).orElse(null);
        }
    }

    /** The rows, in the order in which they are tried. */
    static List<Row> table() {
        return TABLE;
    }

    /**
     * Who answers.
     *
     * @param rawPath without query and trailing slash
     */
    public static Optional<Route> find(String method, String rawPath) {
        var path = PathContainer.parsePath(rawPath);
        for (var row : TABLE) {
            if (row.matches(method, path)) {
                var service = row.serviceOf(path);
                return service == null
                        ? Optional.empty()
                        : Optional.of(
                                new Route(
                                        service,
                                        !any(UNTIMED, path),
                                        !any(STREAMED_IN, path),
                                        row.pattern().getPatternString()));
            }
        }
        return Optional.empty();
    }

    /**
     * Who answers.
     *
     * @param rawPath without query and trailing slash
     * @param named gives the service that the query names; asked only where that matters. A name that is no other
     *     service's leaves the call to the gateway, which has its own, or says what is allowed
     */
    public static Optional<Route> find(
            String method, String rawPath, Supplier<@Nullable String> named) {
        if (any(OF_SERVICE_NAMED, PathContainer.parsePath(rawPath))) {
            var name = named.get();
            var other =
                    name == null
                            ? Optional.<Service>empty()
                            : Service.ofId(name).filter(service -> service != GATEWAY);
            if (other.isPresent()) {
                return Optional.of(new Route(other.get(), true, true, rawPath));
            }
        }
        return find(method, rawPath);
    }

    private static boolean any(List<PathPattern> patterns, PathContainer path) {
        for (var pattern : patterns) {
            if (pattern.matches(path)) {
                return true;
            }
        }
        return false;
    }

    /** Below {@link #API}; a second slash in front means from the root. */
    private static List<PathPattern> patterns(String... paths) {
        var patterns = new ArrayList<PathPattern>();
        for (var path : paths) {
            patterns.add(pattern(path.startsWith("//") ? path.substring(1) : API + path));
        }
        return List.copyOf(patterns);
    }

    private static PathPattern pattern(String path) {
        return PathPatternParser.defaultInstance.parse(path);
    }

    private static final class Table {
        private final List<Row> rows = new ArrayList<>();

        Table api(Service service, String... specs) {
            return add(service, API, specs);
        }

        Table root(Service service, String... specs) {
            return add(service, "", specs);
        }

        Table byIdPrefix(String spec) {
            return add(null, API, spec);
        }

        private Table add(@Nullable Service service, String prefix, String... specs) {
            for (var spec : specs) {
                int space = spec.indexOf(' ');
                rows.add(
                        new Row(
                                service,
                                space < 0
                                        ? Set.of()
                                        : Set.of(spec.substring(0, space).split("\\|")),
                                pattern(prefix + spec.substring(space + 1))));
            }
            return this;
        }

        List<Row> rows() {
            return List.copyOf(rows);
        }
    }
}
