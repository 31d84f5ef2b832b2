package io.mirante.ingestion.intake;

import io.mirante.platform.web.ProblemException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.springframework.http.HttpStatus;
import reactor.core.publisher.Mono;

/**
 * Settles many for a way in that has nobody to answer 503 to: what is to be sent again is, five times a second, until Kafka
 * has stored it. Thread-safe.
 */
public final class PatientIntake {

    private static final Duration PAUSE = Duration.ofMillis(200);

    private final Intake intake;

    public PatientIntake(Intake intake) {
        this.intake = intake;
    }

    /**
     * Completes when all are stored; only what is not is tried again. Without end: the caller sets the limit.
     *
     * @return what became of each, in order; none is {@link Status#RETRY}
     */
    public Mono<List<Settled>> settleAll(List<Item> items) {
        var settled = new ArrayList<Settled>(items.size());
        var open = new ArrayList<Integer>(items.size());
        for (int i = 0; i < items.size(); i++) {
            settled.add(Settled.RETRY);
            open.add(i);
        }
        return settle(items, List.copyOf(open), settled);
    }

    private Mono<List<Settled>> settle(
            List<Item> items, List<Integer> open, List<Settled> settled) {
        if (open.isEmpty()) {
            return Mono.just(settled);
        }
        return intake.settleAll(open.stream().map(items::get).toList())
                .onErrorResume(
                        PatientIntake::passes,
                        e -> Mono.just(open.stream().map(i -> Settled.RETRY).toList()))
                .flatMap(outcomes -> {
                    var left = new ArrayList<Integer>(0);
                    for (int i = 0; i < open.size(); i++) {
                        settled.set(open.get(i), outcomes.get(i));
                        if (outcomes.get(i).status() == Status.RETRY) {
                            left.add(open.get(i));
                        }
                    }
                    return left.isEmpty()
                            ? Mono.just(settled)
                            : Mono.delay(PAUSE)
                                    .then(Mono.defer(() -> settle(items, left, settled)));
                });
    }

    private static boolean passes(Throwable e) {
        return e instanceof ProblemException problem
                && (problem.status() == HttpStatus.SERVICE_UNAVAILABLE
                        || problem.status() == HttpStatus.TOO_MANY_REQUESTS);
    }
}
