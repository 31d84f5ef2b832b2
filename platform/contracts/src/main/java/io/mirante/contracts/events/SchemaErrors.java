package io.mirante.contracts.events;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.path.NodePath;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/** Turns the findings of a JSON Schema into field errors that name the field and the remedy. */
final class SchemaErrors {

    private SchemaErrors() {}

    /** Checks data against a schema and hands over each finding, with pointers below {@code base}. */
    static void collect(Schema schema, JsonNode data, String base, Consumer<FieldError> errors) {
        for (var finding : schema.validate(data)) {
            errors.accept(fieldError(finding, base));
        }
    }

    private static FieldError fieldError(Error finding, String base) {
        var pointer = new StringBuilder(base);
        append(pointer, finding.getInstanceLocation());
        var keyword = finding.getKeyword();
        var property = finding.getProperty();
        if ("required".equals(keyword) && property != null) {
            pointer.append('/').append(TreeGuard.escape(property));
            return new FieldError(
                    pointer.toString(),
                    "required",
                    property + " is required for this event type; add it");
        }
        var at = pointer.toString();
        var field = at.substring(at.lastIndexOf('/') + 1);
        JsonNode wanted = finding.getSchemaNode();
        return switch (keyword == null ? "" : keyword) {
            case "type" -> new FieldError(at, "wrong_type", field + " must be " + types(wanted));
            case "minimum" ->
                    new FieldError(
                            at, "out_of_range", field + " must be " + text(wanted) + " or more");
            case "exclusiveMinimum" ->
                    new FieldError(
                            at, "out_of_range", field + " must be more than " + text(wanted));
            case "maximum" ->
                    new FieldError(
                            at, "out_of_range", field + " must be " + text(wanted) + " or less");
            case "exclusiveMaximum" ->
                    new FieldError(
                            at, "out_of_range", field + " must be less than " + text(wanted));
            case "minLength" -> new FieldError(at, "blank", field + " must not be empty");
            case "maxLength" ->
                    new FieldError(
                            at,
                            "too_long",
                            field + " must have at most " + text(wanted) + " characters");
            case "pattern" -> new FieldError(at, "wrong_format", patternMessage(field, wanted));
            case "enum" -> new FieldError(at, "not_allowed", field + " must be one of " + wanted);
            default ->
                    new FieldError(
                            at,
                            "contract",
                            field + " does not fit its schema: " + finding.getMessage());
        };
    }

    private static String patternMessage(String field, JsonNode pattern) {
        return switch (text(pattern)) {
            case "^[A-Za-z]{3}$" ->
                    field + " must be a currency code of three letters, such as USD";
            case "^[0-9]{1,15}(\\.[0-9]{1,9})?$" ->
                    field + " must be a decimal number of 0 or more, such as 35.14 or \"35.14\"";
            default -> field + " must match " + text(pattern);
        };
    }

    private static String types(JsonNode wanted) {
        if (wanted == null) {
            return "of another type";
        }
        if (!wanted.isArray()) {
            return typeName(wanted.asString());
        }
        var names = new StringBuilder();
        for (var type : wanted) {
            names.append(names.isEmpty() ? "" : " or ").append(typeName(type.asString()));
        }
        return names.toString();
    }

    private static String typeName(String type) {
        return switch (type) {
            case "string" -> "text";
            case "number" -> "a number";
            case "integer" -> "a whole number";
            case "boolean" -> "true or false";
            case "object" -> "an object {…}";
            case "array" -> "a list […]";
            default -> type;
        };
    }

    private static String text(JsonNode schemaValue) {
        return schemaValue == null ? "" : schemaValue.asString();
    }

    private static void append(StringBuilder pointer, NodePath path) {
        for (int i = 0; i < path.getNameCount(); i++) {
            pointer.append('/').append(TreeGuard.escape(path.getElement(i).toString()));
        }
    }
}
