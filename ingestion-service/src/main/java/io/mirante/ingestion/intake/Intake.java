package io.mirante.ingestion.intake;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.log.Outcome;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import reactor.core.publisher.Mono;

/**
 * Settles events and readings with Kafka: a good one is accepted when its record is stored, a bad one is rejected when
 * the record that keeps it is stored, and all others are to be sent again.
 *
 * <p>Identity of the counters: received = accepted + rejected + retry. {@code retry} counts every event of a request that
 * is answered 503 too; a body that is not of its route's form holds no events and is not counted. No counter carries a
 * tenant. Thread-safe.
 */
public final class Intake {

    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final EventLog log;
    private final Map<Status, Counter> counters = new LinkedHashMap<>();

    /**
     * @param meter name of the counter, such as {@code mirante.ingestion.events}
     */
    public Intake(EventLog log, MeterRegistry meters, String meter) {
        this.log = log;
        for (var status : Status.values()) {
            counters.put(status, meters.counter(meter, "outcome", status.wireName()));
        }
    }

    /**
     * Settles one that came alone.
     *
     * @param parent JSON pointer of the event in its body, before the pointers of its errors
     * @return empty when it is accepted; else a problem: 400, 413 or, when Kafka did not store it, 503
     */
    public Mono<Void> settle(Item item, String parent) {
        return log.store(item.record())
                .flatMap(outcome ->
                        item instanceof Item.Good good && outcome == Outcome.TOO_LARGE
                                ? settleKept(good.rejection().get())
                                : Mono.just(settled(item, outcome)))
                .doOnNext(settled -> count(settled.status(), 1))
                .flatMap(settled -> answer(settled, parent));
    }

    private Mono<Settled> settleKept(Item.Bad bad) {
        return log.store(bad.record()).map(outcome -> settled(bad, outcome));
    }

    private static Mono<Void> answer(Settled settled, String parent) {
        return switch (settled.status()) {
            case ACCEPTED -> Mono.empty();
            case RETRY -> Mono.error(unavailable());
            case REJECTED ->
                    Mono.error(
                            settled.size()
                                    ? ProblemException.tooLarge(
                                            settled.errors().getFirst().message())
                                    : ProblemException.malformed(
                                            settled.errors().stream()
                                                    .map(e ->
                                                            new FieldError(
                                                                    parent + e.pointer(),
                                                                    e.code(),
                                                                    e.message()))
                                                    .toList()));
        };
    }

    /**
     * Settles many.
     *
     * @return what became of each, in order; a problem 503 when Kafka stored none of them
     */
    public Mono<List<Settled>> settleAll(List<Item> items) {
        return log.storeAll(items.stream().map(Item::record).toList())
                .flatMap(outcomes -> keepTooLarge(items, outcomes))
                .doOnNext(this::countAll)
                .flatMap(settled ->
                        settled.stream().allMatch(s -> s.status() == Status.RETRY)
                                ? Mono.error(unavailable())
                                : Mono.just(settled));
    }

    /** What Kafka found too large becomes a rejection, with a record of its own. */
    private Mono<List<Settled>> keepTooLarge(List<Item> items, List<Outcome> outcomes) {
        var settled = new ArrayList<Settled>(items.size());
        var places = new ArrayList<Integer>(0);
        var kept = new ArrayList<Item.Bad>(0);
        for (int i = 0; i < items.size(); i++) {
            settled.add(settled(items.get(i), outcomes.get(i)));
            if (items.get(i) instanceof Item.Good good && outcomes.get(i) == Outcome.TOO_LARGE) {
                places.add(i);
                kept.add(good.rejection().get());
            }
        }
        if (kept.isEmpty()) {
            return Mono.just(settled);
        }
        return log.storeAll(kept.stream().map(Item.Bad::record).toList())
                .map(again -> {
                    for (int i = 0; i < kept.size(); i++) {
                        settled.set(places.get(i), settled(kept.get(i), again.get(i)));
                    }
                    return settled;
                });
    }

    private static Settled settled(Item item, Outcome outcome) {
        if (outcome != Outcome.STORED) {
            return Settled.RETRY;
        }
        return switch (item) {
            case Item.Good good -> Settled.ACCEPTED;
            case Item.Bad bad -> Settled.rejected(bad);
        };
    }

    private void countAll(List<Settled> settled) {
        var counts = new int[Status.values().length];
        for (var each : settled) {
            counts[each.status().ordinal()]++;
        }
        for (var status : Status.values()) {
            count(status, counts[status.ordinal()]);
        }
    }

    private void count(Status status, int n) {
        var counter = counters.get(status);
        if (counter != null && n > 0) {
            counter.increment(n);
        }
    }

    private static ProblemException unavailable() {
        return ProblemException.unavailable(
                "events cannot be stored at the moment; nothing of this request was accepted, send it"
                        + " again",
                RETRY_AFTER);
    }
}
