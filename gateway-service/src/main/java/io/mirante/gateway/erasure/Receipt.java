package io.mirante.gateway.erasure;

import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.PersonErased;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.contracts.gateway.Retention;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an erasure removed, and what is left of the person until when. Result of the job, also while it runs.
 *
 * @param completedAt null while a service has not answered
 * @param services every service, in the order of the flow
 * @param remaining what cannot be rewritten; reckoned from {@code completedAt}
 */
record Receipt(
        String erasureId,
        String userHash,
        Instant requestedAt,
        @Nullable Instant completedAt,
        List<Part> services,
        List<Remaining> remaining) {

    /** Gives persons their numbers, so the others wait for it. */
    static final String FIRST = "etl";

    private static final String DONE = "done";

    /**
     * One service.
     *
     * @param status {@code done} or {@code waiting}
     * @param removed empty when nothing was held
     */
    record Part(
            String service,
            String status,
            @Nullable Instant erasedAt,
            List<PersonErased.Removal> removed) {

        static Part done(String service, Instant erasedAt, List<PersonErased.Removal> removed) {
            return new Part(service, DONE, erasedAt, removed);
        }
    }

    /**
     * What may still hold the person.
     *
     * @param where a topic, or another kind of store
     */
    record Remaining(String where, Instant until, String why) {}

    static Receipt of(PersonErasure erasure, List<Part> answers, Retention retention, Instant now) {
        Map<String, Part> byService =
                answers.stream().collect(Collectors.toMap(Part::service, Function.identity()));
        var services =
                Topics.services().stream()
                        .map(name ->
                                byService.getOrDefault(
                                        name, new Part(name, "waiting", null, List.of())))
                        .toList();
        boolean complete = services.stream().allMatch(part -> part.status().equals(DONE));
        return new Receipt(
                erasure.erasureId(),
                erasure.userHash(),
                erasure.requestedAt(),
                complete ? now : null,
                services,
                complete ? remaining(erasure.tenantId(), retention, now) : List.of());
    }

    boolean complete() {
        return completedAt != null;
    }

    /** [0, 1]: how many of the services have answered. */
    double progress() {
        return (double) services.stream().filter(part -> part.status().equals(DONE)).count()
                / services.size();
    }

    String summary() {
        if (complete()) {
            return "erased everywhere";
        }
        return services.stream()
                .filter(part -> !part.status().equals(DONE))
                .map(Part::service)
                .collect(Collectors.joining(", ", "waiting for ", ""));
    }

    private static List<Remaining> remaining(String tenant, Retention retention, Instant now) {
        var left = new ArrayList<Remaining>();
        var kept =
                Stream.concat(
                        Stream.of(
                                Topics.ingest(tenant),
                                Topics.EVENTS_RAW,
                                Topics.EVENTS_CRITICAL,
                                Topics.EVENTS_CLEAN,
                                Topics.EVENTS_REPLAY,
                                Topics.EVENTS_REJECTED,
                                Topics.AUDIT),
                        Topics.services().stream().map(Topics::dead));
        kept.forEach(topic ->
                left.add(
                        new Remaining(
                                topic.name(),
                                now.plus(Objects.requireNonNull(topic.retention())),
                                "records of a topic cannot be rewritten; they go when their time is over")));
        for (var topic :
                List.of(
                        Topics.FEATURES_USER,
                        Topics.IDENTITIES,
                        Topics.CLUSTERS,
                        Topics.PREDICTIONS,
                        Topics.ERASURES)) {
            left.add(
                    new Remaining(
                            topic.name(),
                            now.plus(Topic.MAX_COMPACTION_LAG),
                            "a newer record without the person stands there; Kafka has yet to clean the old one away"));
        }
        left.add(
                new Remaining(
                        "backups",
                        now.atZone(ZoneOffset.UTC).plus(retention.backups()).toInstant(),
                        "backups are not rewritten; the suppression list applies when one is restored"));
        return left;
    }
}
