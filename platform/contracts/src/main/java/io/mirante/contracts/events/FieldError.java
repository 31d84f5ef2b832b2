package io.mirante.contracts.events;

/**
 * What is wrong with one field.
 *
 * @param pointer JSON pointer (RFC 6901) into the event as it was sent; empty for the event itself
 * @param code stable and machine-readable, such as {@code required} or {@code wrong_type}
 * @param message names the field and the remedy
 */
public record FieldError(String pointer, String code, String message) {}
