package io.mirante.platform.jobs;

/** The job cannot be done; not tried again. The message tells the caller why and what would help. */
public final class JobFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String kind;

    /**
     * Says why.
     *
     * @param kind slug of the problem's type, such as {@code too-few-positives}
     */
    public JobFailedException(String kind, String detail) {
        super(detail);
        this.kind = kind;
    }

    /** Slug of the problem's type. */
    public String kind() {
        return kind;
    }
}
