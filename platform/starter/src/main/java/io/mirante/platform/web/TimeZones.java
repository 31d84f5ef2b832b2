package io.mirante.platform.web;

import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Time zones in a request's body. */
public final class TimeZones {

    private TimeZones() {}

    /**
     * Reads a field.
     *
     * @param usual for a field that is missing, and for one that is wrong
     * @param pointer of the field, whose last part is its name
     * @param errors gets one with code {@code unknown_value} when the field names no zone
     */
    public static ZoneId of(
            @Nullable String text, ZoneId usual, String pointer, List<FieldError> errors) {
        if (text == null) {
            return usual;
        }
        try {
            return ZoneId.of(text);
        } catch (DateTimeException e) {
            var name = pointer.substring(pointer.lastIndexOf('/') + 1);
            errors.add(
                    new FieldError(
                            pointer,
                            "unknown_value",
                            name
                                    + " must be a name of the IANA database, such as America/Sao_Paulo, or an offset"));
            return usual;
        }
    }
}
