package io.mirante.bench.etl;

import java.io.PrintStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import tools.jackson.databind.JsonNode;

/**
 * How far a job is: on a terminal a bar that is drawn again in place, elsewhere a line when the status changes and otherwise one in three
 * seconds at most. One thread shows.
 */
final class RunProgress {
    private static final Duration EVERY = Duration.ofSeconds(3);
    private static final int BAR = 30;
    private static final int DETAIL = 36;
    private static final String ERASE_LINE = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private final Clock clock;
    private String said = "";
    private String saidStatus = "";
    private Instant next = Instant.EPOCH;

    RunProgress(PrintStream out, boolean terminal, Clock clock) {
        this.out = out;
        this.terminal = terminal;
        this.clock = clock;
    }

    void show(JsonNode job) {
        String status = job.path("status").asString("");
        double progress = Math.clamp(job.path("progress").asDouble(0), 0, 1);
        // A detail may hold what somebody named their source.
        String detail = job.path("detail").asString("").replaceAll("\\p{Cntrl}", " ").strip();
        String text = "%3d %%  %s".formatted((int) (progress * 100), status);
        if (terminal) {
            int full = (int) (progress * BAR);
            String tail = detail.length() > DETAIL ? detail.substring(0, DETAIL - 1) + "…" : detail;
            out.print(
                    "%s[%s%s] %s  %s"
                            .formatted(
                                    ERASE_LINE,
                                    "#".repeat(full),
                                    ".".repeat(BAR - full),
                                    text,
                                    tail));
            out.flush();
            return;
        }
        String line = detail.isEmpty() ? text : text + ", " + detail;
        Instant now = clock.instant();
        if (!status.equals(saidStatus) || !line.equals(said) && !now.isBefore(next)) {
            out.println(line);
            said = line;
            saidStatus = status;
            next = now.plus(EVERY);
        }
    }

    /** What follows stands on a line of its own. */
    void end() {
        if (terminal) {
            out.println();
        }
    }
}
