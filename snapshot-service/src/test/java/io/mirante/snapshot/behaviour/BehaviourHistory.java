package io.mirante.snapshot.behaviour;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.snapshot.CleanLog;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;

/** Random events of a few people, and conditions about them. */
final class BehaviourHistory {

    static final int PERSONS = 40;

    private static final Instant FIRST = Instant.parse("2026-11-01T22:00:00Z");

    /** Conditions as a funnel's step has them, each with what it says. */
    static final List<Condition> CONDITIONS =
            List.of(
                    new Condition(
                            "\"condition_type\": \"page_view\", \"condition_value\": \"/a*\"",
                            e -> url(e).startsWith("/a")),
                    new Condition(
                            "\"condition_type\": \"page_view\", \"condition_value\": \"/b\"",
                            e -> url(e).equals("/b")),
                    new Condition(
                            "\"condition_type\": \"Page View\"",
                            e -> e.eventType().equals("page_view")),
                    new Condition(
                            "\"condition_type\": \"search\", \"condition_value\": \"x\"",
                            e -> e.data().path("query").asString("").equals("x")),
                    new Condition(
                            "\"condition_type\": \"purchase\", \"filters\": [{\"property\": \"data.amount\", \"operator\": \"gte\", \"value\": 50}]",
                            e ->
                                    e.eventType().equals("purchase")
                                            && new BigDecimal(e.data().path("amount").asString())
                                                            .compareTo(BigDecimal.valueOf(50))
                                                    >= 0),
                    new Condition(
                            "\"condition_type\": \"page_view\", \"filters\": [{\"property\": \"data.tags\", \"operator\": \"contains\", \"value\": \"vip\"}, {\"property\": \"data.nested.deep\", \"operator\": \"exists\", \"value\": false}]",
                            e ->
                                    e.data().path("tags").toString().contains("vip")
                                            && e.data()
                                                    .path("nested")
                                                    .path("deep")
                                                    .isMissingNode()));

    /** Who goes by whom where persons are merged. */
    static final MergedPersons.Merged MERGED =
            new MergedPersons.Merged(new long[] {2, 9, 31, 38}, new long[] {35, 3, 5, 39});

    private BehaviourHistory() {}

    /** The same events under the number of whom their person goes by. */
    static List<CleanEvent> merged(List<CleanEvent> events) {
        return events.stream()
                .map(e ->
                        new CleanEvent(
                                e.tenantId(),
                                e.eventId(),
                                e.eventType(),
                                e.module(),
                                e.userId(),
                                e.anonymousId(),
                                e.sessionId(),
                                e.occurredAt(),
                                e.receivedAt(),
                                MERGED.of(e.personNo()),
                                e.data(),
                                e.metadata(),
                                e.context()))
                .toList();
    }

    /** Fields of a condition, and the same in Java. */
    record Condition(String json, Predicate<CleanEvent> holds) {}

    static String url(CleanEvent event) {
        return event.data().path("url").asString("");
    }

    static long micros(CleanEvent event) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, event.occurredAt());
    }

    /** 400 events of forty persons, the first of whom is nobody, in three days; many at one instant. */
    static List<CleanEvent> events(String tenant, Random random, int part) {
        var events = new ArrayList<CleanEvent>();
        for (int i = 0; i < 400; i++) {
            // Quarters of an hour, so that most persons have several at one instant.
            var at = FIRST.plus(Duration.ofMinutes(15L * random.nextInt(3 * 24 * 4)));
            long person = random.nextInt(PERSONS);
            var id = "e" + part + "-" + i;
            events.add(
                    switch (random.nextInt(4)) {
                        case 0 ->
                                event(
                                        tenant,
                                        id,
                                        "purchase",
                                        person,
                                        at,
                                        "{\"amount\":\"%d.50\"}".formatted(random.nextInt(100)));
                        case 1 -> event(tenant, id, "search", person, at, "{\"query\":\"x\"}");
                        default ->
                                event(
                                        tenant,
                                        id,
                                        "page_view",
                                        person,
                                        at,
                                        "{\"url\":\"%s\",\"tags\":[\"%s\"],\"nested\":{%s}}"
                                                .formatted(
                                                        List.of("/a", "/a/1", "/b", "/c")
                                                                .get(random.nextInt(4)),
                                                        random.nextBoolean() ? "vip" : "new",
                                                        random.nextBoolean() ? "\"deep\":1" : ""));
                    });
        }
        return events;
    }

    /** Half of them in one of three countries. */
    private static CleanEvent event(
            String tenant, String id, String type, long person, Instant at, String data) {
        var event = CleanLog.event(tenant, id, type, person, at, null, data);
        int country = id.hashCode() & 7;
        return new CleanEvent(
                tenant,
                id,
                type,
                event.module(),
                event.userId(),
                null,
                null,
                at,
                event.receivedAt(),
                person,
                event.data(),
                event.metadata(),
                Json.mapper()
                        .readTree(
                                country > 3
                                        ? "{\"device\":{\"device_type\":\"Mobile\"}}"
                                        : "{\"location\":{\"country\":\"%s\"}}"
                                                .formatted(
                                                        List.of("BR", "PT", "é\uD83C\uDF0D", "AO")
                                                                .get(country))));
    }
}
