package io.mirante.platform.jobs;

import java.time.Duration;

/** The job has more to do later: it waits in the queue, where no worker is kept by it, and its handler is called again. */
public final class JobAgainException extends Exception {

    private static final long serialVersionUID = 1L;

    private final Duration after;

    /**
     * Ends this turn of the job.
     *
     * @param after when its next turn is due
     * @param detail what the job shows meanwhile
     */
    public JobAgainException(Duration after, String detail) {
        super(detail);
        this.after = after;
    }

    /** When the next turn is due. */
    public Duration after() {
        return after;
    }

    /** What the job shows meanwhile. */
    public String detail() {
        return String.valueOf(getMessage());
    }
}
