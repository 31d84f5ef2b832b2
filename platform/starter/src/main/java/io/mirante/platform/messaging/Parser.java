package io.mirante.platform.messaging;

import io.mirante.contracts.Json;
import tools.jackson.core.JacksonException;

/** Turns a record's bytes into a value; what cannot be parsed is poison, not an exception of the poll. */
@FunctionalInterface
public interface Parser<E> {

    /**
     * Parses one record.
     *
     * @param value never empty; a record without a value is poison before it gets here
     */
    E parse(byte[] value, Headers headers) throws PoisonException;

    /** A parser for a record written as JSON by {@link Json#mapper()}. */
    static <E> Parser<E> json(Class<E> type) {
        return (value, headers) -> {
            try {
                return Json.mapper().readValue(value, type);
            } catch (JacksonException e) {
                throw new PoisonException("bad_json", Json.reason(e));
            }
        };
    }
}
