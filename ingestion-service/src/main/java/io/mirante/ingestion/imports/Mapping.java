package io.mirante.ingestion.imports;

import io.mirante.contracts.events.FieldError;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.TemporalAccessor;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a line becomes an event: for each field of the event where its value is taken from. Immutable, thread-safe.
 *
 * <p>Without a mapping every column that is named as a field of an event is that field, and all others are data. A mapping
 * names the data it wants under {@code data}; without that, what it uses for no field is data.
 */
final class Mapping {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** Fields of an event a column may become. */
    static final List<String> FIELDS =
            List.of(
                    "event_id",
                    "event_type",
                    "user_id",
                    "anonymous_id",
                    "session_id",
                    "timestamp",
                    "schema_version");

    private static final Set<String> TYPES =
            Set.of("text", "decimal", "integer", "boolean", "timestamp");

    private final Map<String, Taken> fields;
    private final @Nullable Map<String, Taken> data;
    private final CsvForm csv;

    private Mapping(Map<String, Taken> fields, @Nullable Map<String, Taken> data, CsvForm csv) {
        this.fields = fields;
        this.data = data;
        this.csv = csv;
    }

    /** Columns by their names. */
    static final Mapping NONE = new Mapping(byName(), null, CsvForm.DEFAULT);

    /**
     * Where a value comes from.
     *
     * @param constant the value itself; null when it is in the line
     * @param path a column's name, or the names down to the value
     * @param orConstant what to take when the line has no such column; for {@code event_type}
     */
    private record Taken(
            @Nullable String constant,
            List<String> path,
            @Nullable String orConstant,
            String type,
            @Nullable DateTimeFormatter format,
            @Nullable String epoch,
            ZoneId zone) {

        @Nullable JsonNode from(JsonNode line) {
            if (constant != null) {
                return JSON.stringNode(constant);
            }
            JsonNode value = line;
            for (var name : path) {
                value = value.path(name);
            }
            if (value.isMissingNode() && orConstant != null) {
                return JSON.stringNode(orConstant);
            }
            return value.isMissingNode()
                            || value.isNull()
                            || (value.isString() && value.stringValue().isEmpty())
                    ? null
                    : value;
        }

        String name() {
            return path.isEmpty() ? "" : String.join("/", path);
        }
    }

    /** How a CSV is written; see {@link CsvLines}. */
    CsvForm csv() {
        return csv;
    }

    /** Whether lines of JSON are events as they stand. */
    boolean none() {
        return this == NONE;
    }

    /**
     * Reads a mapping.
     *
     * @param errors gets what is wrong, pointers into the mapping
     */
    static Mapping of(JsonNode given, List<FieldError> errors) {
        if (!given.isObject()) {
            errors.add(new FieldError("", "wrong_type", "mapping must be a JSON object {…}"));
            return NONE;
        }
        var fields = new LinkedHashMap<String, Taken>();
        Map<String, Taken> data = null;
        var csv = CsvForm.DEFAULT;
        for (var field : given.properties()) {
            var name = field.getKey();
            var value = field.getValue();
            var pointer = "/" + name;
            if (name.equals("csv")) {
                csv = CsvForm.of(value, errors);
            } else if (name.equals("data")) {
                data = data(value, errors);
            } else if (!FIELDS.contains(name)) {
                errors.add(
                        new FieldError(
                                pointer,
                                "unknown_field",
                                name
                                        + " is unknown; a mapping has "
                                        + String.join(", ", FIELDS)
                                        + ", data and csv"));
            } else if (!value.isNull()) {
                var taken = taken(value, pointer, name, errors);
                if (taken != null) {
                    fields.put(name, taken);
                }
            }
        }
        if (!fields.containsKey("event_type") && !given.has("event_type")) {
            fields.put("event_type", column("event_type"));
        }
        return new Mapping(fields, data, csv);
    }

    private static @Nullable Map<String, Taken> data(JsonNode value, List<FieldError> errors) {
        if (value.isNull()) {
            return null;
        }
        if (!value.isObject()) {
            errors.add(
                    new FieldError(
                            "/data", "wrong_type", "data must be an object of names to columns"));
            return null;
        }
        var data = new LinkedHashMap<String, Taken>();
        for (var field : value.properties()) {
            var taken = taken(field.getValue(), "/data/" + field.getKey(), field.getKey(), errors);
            if (taken != null) {
                data.put(field.getKey(), taken);
            }
        }
        return data;
    }

    private static @Nullable Taken taken(
            JsonNode value, String pointer, String name, List<FieldError> errors) {
        if (value.isString()) {
            return text(value.stringValue(), name, "text", null, null, ZoneOffset.UTC);
        }
        if (!value.isObject() || !value.path("column").isString()) {
            errors.add(
                    new FieldError(
                            pointer,
                            "wrong_type",
                            name
                                    + " must be a column's name, \"$.path\", \"=constant\" or an object with column"));
            return null;
        }
        for (var field : value.propertyNames()) {
            if (!Set.of("column", "type", "format", "timezone").contains(field)) {
                errors.add(
                        new FieldError(
                                pointer + "/" + field,
                                "unknown_field",
                                field
                                        + " is unknown; there are column, type, format and timezone"));
            }
        }
        var type = value.path("type").asString(name.equals("timestamp") ? "timestamp" : "text");
        if (!TYPES.contains(type)) {
            errors.add(
                    new FieldError(
                            pointer + "/type",
                            "not_allowed",
                            "type must be text, decimal, integer, boolean or timestamp"));
        }
        ZoneId zone = ZoneOffset.UTC;
        try {
            zone = ZoneId.of(value.path("timezone").asString("UTC"));
        } catch (DateTimeException e) {
            errors.add(
                    new FieldError(
                            pointer + "/timezone",
                            "not_allowed",
                            "timezone must be an IANA zone, such as America/Sao_Paulo"));
        }
        var pattern = value.path("format").asString(null);
        var epoch =
                "epoch_seconds".equals(pattern) || "epoch_millis".equals(pattern) ? pattern : null;
        DateTimeFormatter format = null;
        if (pattern != null && epoch == null) {
            try {
                format = DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH);
            } catch (IllegalArgumentException e) {
                errors.add(
                        new FieldError(
                                pointer + "/format",
                                "not_allowed",
                                "format must be a pattern such as yyyyMMdd or yyyy-MM-dd HH:mm:ss, epoch_seconds or"
                                        + " epoch_millis"));
            }
        }
        return text(value.path("column").stringValue(), name, type, format, epoch, zone);
    }

    private static Taken text(
            String text,
            String name,
            String type,
            @Nullable DateTimeFormatter format,
            @Nullable String epoch,
            ZoneId zone) {
        if (text.startsWith("=")) {
            return new Taken(text.substring(1), List.of(), null, type, format, epoch, zone);
        }
        var path = text.startsWith("$.") ? List.of(text.substring(2).split("\\.")) : List.of(text);
        return new Taken(
                null, path, name.equals("event_type") ? text : null, type, format, epoch, zone);
    }

    private static Taken column(String name) {
        return new Taken(null, List.of(name), null, "text", null, null, ZoneOffset.UTC);
    }

    private static Map<String, Taken> byName() {
        var fields = new LinkedHashMap<String, Taken>();
        FIELDS.forEach(name -> fields.put(name, column(name)));
        return fields;
    }

    /** Whether an id is taken from the line; else it is made of it. */
    boolean namesIds() {
        return fields.containsKey("event_id");
    }

    /**
     * A line as an event, to be judged.
     *
     * @param line an object of columns
     * @param errors gets values that are not of the type the mapping asks for; pointers name the column
     */
    ObjectNode toEvent(JsonNode line, List<FieldError> errors) {
        var event = JSON.objectNode();
        fields.forEach((name, taken) -> {
            var value = value(taken, line, name.equals("timestamp"), errors);
            if (value != null) {
                event.set(name, name.equals("schema_version") ? version(value) : asText(value));
            }
        });
        var inner = JSON.objectNode();
        if (data != null) {
            data.forEach((name, taken) -> {
                var value = value(taken, line, false, errors);
                if (value != null) {
                    inner.set(name, value);
                }
            });
        } else {
            var used = used();
            for (var column : line.properties()) {
                if (!used.contains(column.getKey()) && !empty(column.getValue())) {
                    inner.set(column.getKey(), column.getValue());
                }
            }
        }
        var type = event.remove("event_type");
        if (type != null) {
            var typed = event.putObject("event_type");
            typed.set("type", type);
            typed.set("data", inner);
        }
        return event;
    }

    private static JsonNode asText(JsonNode value) {
        return value.isNumber() || value.isBoolean() ? JSON.stringNode(value.asString()) : value;
    }

    private static JsonNode version(JsonNode value) {
        try {
            return value.isString()
                    ? JSON.numberNode(Integer.parseInt(value.stringValue()))
                    : value;
        } catch (NumberFormatException e) {
            return value;
        }
    }

    private Set<String> used() {
        var used = new HashSet<String>();
        fields.values().stream()
                .filter(taken -> !taken.path().isEmpty())
                .forEach(taken -> used.add(taken.path().getFirst()));
        return used;
    }

    private static boolean empty(JsonNode value) {
        return value.isNull() || (value.isString() && value.stringValue().isEmpty());
    }

    private static @Nullable JsonNode value(
            Taken taken, JsonNode line, boolean time, List<FieldError> errors) {
        var value = taken.from(line);
        if (value == null) {
            return null;
        }
        try {
            return switch (time ? "timestamp" : taken.type()) {
                case "decimal" ->
                        value.isNumber()
                                ? value
                                : JSON.numberNode(new BigDecimal(value.asString().strip()));
                case "integer" ->
                        JSON.numberNode(new BigDecimal(value.asString().strip()).longValueExact());
                case "boolean" -> JSON.booleanNode(bool(value.asString().strip()));
                case "timestamp" -> JSON.stringNode(time(taken, value.asString().strip()));
                default -> value;
            };
        } catch (ArithmeticException | IllegalArgumentException | DateTimeException e) {
            errors.add(
                    new FieldError(
                            "/" + taken.name(),
                            "wrong_type",
                            "column %s must be %s, as the mapping says"
                                    .formatted(taken.name(), time ? "a timestamp" : taken.type())));
            return null;
        }
    }

    private static boolean bool(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "t", "yes", "y", "1" -> true;
            case "false", "f", "no", "n", "0" -> false;
            default -> throw new IllegalArgumentException(text);
        };
    }

    /** RFC 3339. A time without an offset is in the mapping's zone; without a format RFC 3339 or SQL's form is read. */
    private static String time(Taken taken, String text) {
        if (taken.epoch() != null) {
            long n = new BigDecimal(text).longValueExact();
            return (taken.epoch().equals("epoch_seconds")
                            ? Instant.ofEpochSecond(n)
                            : Instant.ofEpochMilli(n))
                    .toString();
        }
        if (taken.format() != null) {
            TemporalAccessor parsed =
                    taken.format()
                            .parseBest(
                                    text,
                                    OffsetDateTime::from,
                                    LocalDateTime::from,
                                    LocalDate::from);
            return switch (parsed) {
                case OffsetDateTime at -> at.toInstant().toString();
                case LocalDateTime at -> at.atZone(taken.zone()).toInstant().toString();
                case LocalDate day -> day.atStartOfDay(taken.zone()).toInstant().toString();
                default -> throw new DateTimeException(text);
            };
        }
        if (text.length() == 10) {
            return LocalDate.parse(text).atStartOfDay(taken.zone()).toInstant().toString();
        }
        var iso = text.length() > 10 && text.charAt(10) == ' ' ? text.replaceFirst(" ", "T") : text;
        if (iso.endsWith("Z") || iso.lastIndexOf('+') > 10 || iso.lastIndexOf('-') > 10) {
            return iso.matches(".*[+-][0-9]{2}") ? iso + ":00" : iso;
        }
        return LocalDateTime.parse(iso).atZone(taken.zone()).toInstant().toString();
    }
}
