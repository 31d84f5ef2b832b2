package io.mirante.snapshot;

/** Which copy of the derived tables: the one that is shown, or the second one that a rebuild fills. */
public enum Generation {
    CURRENT("behaviour_event", "metric_window", "metric_value"),
    REBUILT("rebuilt_event", "rebuilt_window", "rebuilt_value");

    private final String events;
    private final String windows;
    private final String values;

    Generation(String events, String windows, String values) {
        this.events = events;
        this.windows = windows;
        this.values = values;
    }

    /** Table of counted events. */
    public String eventTable() {
        return events;
    }

    /** Table of windows. */
    public String windowTable() {
        return windows;
    }

    /** Table of their metrics. */
    public String valueTable() {
        return values;
    }
}
