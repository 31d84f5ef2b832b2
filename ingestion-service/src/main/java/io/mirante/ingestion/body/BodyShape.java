package io.mirante.ingestion.body;

import io.mirante.platform.web.ProblemException;
import tools.jackson.databind.JsonNode;

/** The outer form of a body, around events that are judged one by one. Each method throws a problem, 400 or 413. */
public final class BodyShape {

    private BodyShape() {}

    /** The value of the body's only field. */
    public static JsonNode only(JsonNode body, String field) {
        if (!body.isObject()) {
            throw ProblemException.malformed(
                    "", "wrong_type", "the body must be an object, {\"%s\": …}".formatted(field));
        }
        for (var name : body.propertyNames()) {
            if (!name.equals(field)) {
                throw ProblemException.malformed(
                        "",
                        "unknown_field",
                        "the body has an unknown field; it must be {\"%s\": …}".formatted(field));
            }
        }
        var value = body.get(field);
        if (value == null) {
            throw ProblemException.malformed(
                    "/" + field, "required", "the body must be {\"%s\": …}".formatted(field));
        }
        return value;
    }

    /** The array in the body's only field, of 1 to {@code max} values. */
    public static JsonNode list(JsonNode body, String field, int max) {
        var value = only(body, field);
        if (!value.isArray()) {
            throw ProblemException.malformed(
                    "/" + field, "wrong_type", field + " must be an array […]");
        }
        if (value.isEmpty()) {
            throw ProblemException.malformed(
                    "/" + field, "required", field + " must hold at least one");
        }
        if (value.size() > max) {
            throw ProblemException.tooLarge(
                    "%s holds %d, more than %d; send it in parts"
                            .formatted(field, value.size(), max));
        }
        return value;
    }
}
