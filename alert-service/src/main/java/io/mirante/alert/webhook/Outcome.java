package io.mirante.alert.webhook;

/** How an attempt ended, in the receiver's or our words. */
sealed interface Outcome {

    /** For the operator: what was answered, or why nothing was. */
    String answer();

    /** 2xx. */
    record Delivered(String answer) implements Outcome {}

    /** 410: the receiver wants nothing more, ever. */
    record Gone(String answer) implements Outcome {}

    /** Anything else: try again later. */
    record Failed(String answer) implements Outcome {}
}
