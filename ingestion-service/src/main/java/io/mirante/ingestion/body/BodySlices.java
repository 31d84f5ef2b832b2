package io.mirante.ingestion.body;

import io.mirante.contracts.Json;
import io.mirante.platform.web.ProblemException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Cuts a body into the byte ranges of its events, so that each is judged alone and a bad one never hurts its neighbours.
 * Only the outer form is read: brackets are matched and texts skipped; what lies inside an event is its own business.
 *
 * <p>Own code rather than the streaming parser, which stops at the first duplicate name, half character or unreadable
 * literal inside any event. What this accepts and the parser then accepts range by range is JSON as a whole: the ranges
 * are separated by single commas and nothing else.
 *
 * <p>Every method throws a problem, 400 or 413. Holds no state.
 */
public final class BodySlices {

    /** Of a name in an answer. */
    private static final int LONGEST_NAME = 100;

    private BodySlices() {}

    /**
     * The bytes of one value.
     *
     * @param from its first byte
     * @param to the byte after its last
     */
    public record Slice(int from, int to) {}

    /** The value of the body's only field. */
    public static Slice only(byte[] body, String field) {
        return Outer.of(body, field).required();
    }

    /** The values of the array in the body's only field, 1 to {@code max} of them. */
    public static List<Slice> list(byte[] body, String field, int max) {
        return elements(body, field, Outer.of(body, field).required(), max);
    }

    /** The same when the body has the field; null when the body is an object of another kind. */
    public static @Nullable List<Slice> listIfNamed(byte[] body, String field, int max) {
        var outer = Outer.of(body, field);
        return outer.value() == null ? null : elements(body, field, outer.required(), max);
    }

    private static List<Slice> elements(byte[] body, String field, Slice value, int max) {
        if (body[value.from()] != '[') {
            throw ProblemException.malformed(
                    "/" + field, "wrong_type", field + " must be an array […]");
        }
        var slices = scan(body, value.from(), Scan::array);
        if (slices.isEmpty()) {
            throw ProblemException.malformed(
                    "/" + field, "required", field + " must hold at least one");
        }
        if (slices.size() > max) {
            throw ProblemException.tooLarge(
                    "%s holds %d, more than %d; send it in parts"
                            .formatted(field, slices.size(), max));
        }
        return slices;
    }

    /**
     * The body's outer object.
     *
     * @param value of the wanted field; null when there is none
     * @param other name of the first other field; null when there is none
     */
    private record Outer(String field, @Nullable Slice value, @Nullable String other) {

        static Outer of(byte[] body, String field) {
            return scan(body, 0, scan -> scan.object(field));
        }

        Slice required() {
            if (other != null) {
                var name = other.length() > LONGEST_NAME ? other.substring(0, LONGEST_NAME) : other;
                throw ProblemException.malformed(
                        "/" + name.replace("~", "~0").replace("/", "~1"),
                        "unknown_field",
                        "the body has the unknown field %s; it must be {\"%s\": …}"
                                .formatted(name, field));
            }
            if (value == null) {
                throw ProblemException.malformed(
                        "/" + field, "required", "the body must be {\"%s\": …}".formatted(field));
            }
            return value;
        }
    }

    private static <T> T scan(byte[] body, int from, java.util.function.Function<Scan, T> step) {
        try {
            return step.apply(new Scan(body, from));
        } catch (BrokenJson e) {
            // The parser says it better, with line and column.
            JsonBodies.parse(body);
            throw ProblemException.malformed("", "invalid_json", "the body is not valid JSON");
        }
    }

    /** The outer form is not JSON. */
    private static final class BrokenJson extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BrokenJson() {
            super(null, null, false, false);
        }
    }

    /** A walk over the bytes. */
    private static final class Scan {
        private final byte[] json;
        private int at;

        Scan(byte[] json, int at) {
            this.json = json;
            this.at = at;
        }

        Outer object(String field) {
            if (next() != '{') {
                JsonBodies.parse(json);
                throw ProblemException.malformed(
                        "",
                        "wrong_type",
                        "the body must be an object, {\"%s\": …}".formatted(field));
            }
            at++;
            Slice value = null;
            String other = null;
            if (next() == '}') {
                at++;
            } else {
                do {
                    var name = name();
                    boolean wanted = name.equals(field);
                    expect(':');
                    var slice = value();
                    if (wanted && value != null) {
                        throw new BrokenJson();
                    }
                    value = wanted ? slice : value;
                    other = wanted || other != null ? other : name;
                } while (more('}'));
            }
            end();
            return new Outer(field, value, other);
        }

        List<Slice> array() {
            expect('[');
            var slices = new ArrayList<Slice>();
            if (next() == ']') {
                at++;
                return slices;
            }
            do {
                slices.add(value());
            } while (more(']'));
            return slices;
        }

        private void end() {
            skipSpace();
            if (at < json.length) {
                throw new BrokenJson();
            }
        }

        /** After a value: true at a comma, which it takes, false at the closing bracket, which it takes too. */
        private boolean more(int close) {
            int b = next();
            at++;
            if (b == ',') {
                return true;
            }
            if (b == close) {
                return false;
            }
            throw new BrokenJson();
        }

        private String name() {
            if (next() != '"') {
                throw new BrokenJson();
            }
            int from = at;
            text();
            var raw = new String(json, from + 1, at - from - 2, StandardCharsets.UTF_8);
            if (raw.indexOf('\\') < 0) {
                return raw;
            }
            try {
                return Json.mapper().readTree(json, from, at - from).stringValue();
            } catch (JacksonException e) {
                throw new BrokenJson();
            }
        }

        private Slice value() {
            int b = next();
            int from = at;
            if (b == '"') {
                text();
            } else if (b == '{' || b == '[') {
                container();
            } else {
                literal();
            }
            return new Slice(from, at);
        }

        private void container() {
            int depth = 0;
            do {
                if (at >= json.length) {
                    throw new BrokenJson();
                }
                switch (json[at]) {
                    case '"' -> text();
                    case '{', '[' -> {
                        depth++;
                        at++;
                    }
                    case '}', ']' -> {
                        depth--;
                        at++;
                    }
                    default -> at++;
                }
            } while (depth > 0);
        }

        private void text() {
            at++;
            while (at < json.length) {
                byte b = json[at++];
                if (b == '"') {
                    return;
                }
                if (b == '\\') {
                    at++;
                }
            }
            throw new BrokenJson();
        }

        private void literal() {
            int from = at;
            while (at < json.length && !endsLiteral(json[at])) {
                at++;
            }
            if (at == from) {
                throw new BrokenJson();
            }
        }

        private static boolean endsLiteral(byte b) {
            return switch (b) {
                case ',', ']', '}', '[', '{', '"', ':', ' ', '\n', '\r', '\t' -> true;
                default -> false;
            };
        }

        private void expect(int wanted) {
            if (next() != wanted) {
                throw new BrokenJson();
            }
            at++;
        }

        /** The next byte that is no white space; stays before it. */
        private int next() {
            skipSpace();
            if (at >= json.length) {
                throw new BrokenJson();
            }
            return json[at];
        }

        private void skipSpace() {
            while (at < json.length
                    && (json[at] == ' '
                            || json[at] == '\n'
                            || json[at] == '\r'
                            || json[at] == '\t')) {
                at++;
            }
        }
    }
}
