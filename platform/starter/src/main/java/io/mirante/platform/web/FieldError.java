package io.mirante.platform.web;

/**
 * One thing wrong with a request.
 *
 * @param pointer JSON pointer into the body, or {@code ?name} for a query parameter
 * @param code stable, snake_case, such as {@code required}
 * @param message what is wrong and how to mend it
 */
public record FieldError(String pointer, String code, String message) {}
