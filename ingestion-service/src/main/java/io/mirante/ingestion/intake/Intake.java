package io.mirante.ingestion.intake;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.log.Outcome;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import reactor.core.publisher.Mono;

/**
 * Settles events and readings with Kafka: a good one is accepted when its record is stored, a bad one is rejected when
 * the record that keeps it is stored, and all others are to be sent again.
 *
 * <p>Identity of the counters: received = accepted + rejected + retry, and rejected = the sum over its reasons. {@code
 * retry} counts every event of a request that is answered 429 or 503 too; a body that is not of its route's form holds no
 * events and is not counted. No counter carries a tenant. Thread-safe.
 */
public final class Intake {

    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final EventLog log;
    private final Map<Status, Counter> counters = new EnumMap<>(Status.class);
    private final Map<Reason, Counter> reasons = new EnumMap<>(Reason.class);

    /**
     * @param meter name of the counter, such as {@code mirante.ingestion.events}; reasons are counted under it with
     *     {@code .rejected}
     */
    public Intake(EventLog log, MeterRegistry meters, String meter) {
        this.log = log;
        for (var status : Status.values()) {
            counters.put(status, meters.counter(meter, "outcome", status.wireName()));
        }
        for (var reason : Reason.values()) {
            reasons.put(reason, meters.counter(meter + ".rejected", "reason", reason.wireName()));
        }
    }

    /**
     * Settles one that came alone.
     *
     * @param parent JSON pointer of the event in its body, before the pointers of its errors
     * @return empty when it is accepted; else a problem: 400, 413, 429 over the tenant's limit or, when Kafka did not
     *     store it, 503
     */
    public Mono<Void> settle(Item item, String parent) {
        return switch (item) {
            case Item.Deferred deferred -> {
                count(List.of(Settled.RETRY));
                yield Mono.error(overLimit());
            }
            case Item.Recorded recorded ->
                    log.store(recorded.record())
                            .flatMap(outcome ->
                                    item instanceof Item.Good good && outcome == Outcome.TOO_LARGE
                                            ? settleKept(good.rejection().get())
                                            : Mono.just(settled(item, outcome)))
                            .doOnNext(settled -> count(List.of(settled)))
                            .flatMap(settled -> answer(settled, parent));
        };
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
                            settled.reason() == Reason.SIZE
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
     * @return what became of each, in order; a problem when every one is to be sent again: 429 when the tenant is over
     *     its limit, 503 when Kafka stored none of them
     */
    public Mono<List<Settled>> settleAll(List<Item> items) {
        List<Item.Recorded> recorded = new ArrayList<>(items.size());
        for (var item : items) {
            if (item instanceof Item.Recorded one) {
                recorded.add(one);
            }
        }
        if (recorded.isEmpty() && !items.isEmpty()) {
            count(items.stream().map(i -> Settled.RETRY).toList());
            return Mono.error(overLimit());
        }
        List<Outgoing> records = new ArrayList<>(recorded.size());
        for (var one : recorded) {
            records.add(one.record());
        }
        return log.storeAll(records)
                .flatMap(outcomes -> keepTooLarge(recorded, outcomes))
                .map(settled -> inOrder(items, settled))
                .doOnNext(this::count)
                .flatMap(settled ->
                        settled.stream().allMatch(s -> s.status() == Status.RETRY)
                                ? Mono.error(unavailable())
                                : Mono.just(settled));
    }

    /** {@link #settleAll} as an answer over HTTP: 200 when all are accepted, else 207. */
    public <R> Mono<ResponseEntity<BatchAnswer<R>>> answerAll(
            List<Checked> checked, boolean verbose, BatchAnswer.Form<R> form) {
        List<Item> items = checked.stream().map(Checked::item).toList();
        return settleAll(items).map(settled -> answer(checked, settled, verbose, form));
    }

    private static <R> ResponseEntity<BatchAnswer<R>> answer(
            List<Checked> checked,
            List<Settled> settled,
            boolean verbose,
            BatchAnswer.Form<R> form) {
        int accepted = 0;
        int rejected = 0;
        var results = new ArrayList<R>();
        for (int i = 0; i < settled.size(); i++) {
            var one = settled.get(i);
            accepted += one.status() == Status.ACCEPTED ? 1 : 0;
            rejected += one.status() == Status.REJECTED ? 1 : 0;
            if (verbose || one.status() != Status.ACCEPTED) {
                results.add(form.of(i, checked.get(i).id(), one.status(), one.errors()));
            }
        }
        return ResponseEntity.status(
                        accepted == settled.size() ? HttpStatus.OK : HttpStatus.MULTI_STATUS)
                .body(new BatchAnswer<>(accepted, rejected, results));
    }

    private static List<Settled> inOrder(List<Item> items, List<Settled> recorded) {
        if (recorded.size() == items.size()) {
            return recorded;
        }
        var all = new ArrayList<Settled>(items.size());
        var next = recorded.iterator();
        for (var item : items) {
            all.add(item instanceof Item.Recorded ? next.next() : Settled.RETRY);
        }
        return all;
    }

    /** What Kafka found too large becomes a rejection, with a record of its own. */
    private Mono<List<Settled>> keepTooLarge(List<Item.Recorded> items, List<Outcome> outcomes) {
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
        return item instanceof Item.Bad bad ? Settled.rejected(bad) : Settled.ACCEPTED;
    }

    private void count(List<Settled> settled) {
        var counts = new int[Status.values().length];
        for (var each : settled) {
            counts[each.status().ordinal()]++;
            var reason = each.reason();
            if (reason != null) {
                Objects.requireNonNull(reasons.get(reason)).increment();
            }
        }
        counters.forEach((status, counter) -> {
            if (counts[status.ordinal()] > 0) {
                counter.increment(counts[status.ordinal()]);
            }
        });
    }

    private static ProblemException unavailable() {
        return ProblemException.unavailable(
                "events cannot be stored at the moment; nothing of this request was accepted, send it"
                        + " again",
                RETRY_AFTER);
    }

    private static ProblemException overLimit() {
        return ProblemException.tooMany(
                "the tenant sends more events per second than its limit; nothing of this request was"
                        + " accepted, send it again",
                RETRY_AFTER);
    }
}
