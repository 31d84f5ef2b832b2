package io.mirante.snapshot.behaviour;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.snapshot.CleanLog;
import io.mirante.snapshot.lake.LakeProbe;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.temporal.TemporalAdjusters;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

@MeshTest
class CohortIT {

    private static final String PATH = "/api/v1/analytics/cohort";

    @Autowired private Mesh mesh;
    @Autowired private ApplicationContext context;
    private CleanLog log;
    private String tenant;
    private WebTestClient client;

    @BeforeEach
    void open() {
        log = new CleanLog(mesh);
        tenant = mesh.newTenant();
        client = mesh.client(tenant);
    }

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void followsThoseWhoBeganInAPeriodThroughLaterOnes() {
        log.send(
                event("s1", "sign_up", 1, "2026-10-01T12:00:00Z"),
                event("s2", "sign_up", 2, "2026-10-31T23:59:59.999999Z"),
                event("s3", "sign_up", 3, "2026-11-01T00:00:00Z"),
                // Neither of the two counts: the first was in September, the other has no person.
                event("s4", "sign_up", 4, "2026-09-30T23:59:59Z"),
                event("s5", "sign_up", 4, "2026-10-05T12:00:00Z"),
                event("s6", "sign_up", 0, "2026-10-05T12:00:00Z"),
                event("l1", "login", 1, "2026-10-02T12:00:00Z"),
                event("l2", "login", 1, "2026-11-02T12:00:00Z"),
                event("l3", "login", 1, "2026-11-03T12:00:00Z"),
                event("l4", "login", 2, "2026-09-03T12:00:00Z"),
                event("l5", "login", 4, "2026-11-03T12:00:00Z"));
        counted(log, client);
        var request =
                """
                {"cohort_event": {"type": "SignUp"}, "return_event": {"type": "login"}, "mode": "%s", "granularity": "month",
                 "periods": 3, "start_time": "2026-10-01T00:00:00Z", "end_time": "2026-11-15T00:00:00Z", "timezone": "UTC"}\
                """;
        var first = post(client, 200, PATH, request.formatted("first_time"));
        assertThat(first.path("as_of").isString()).isTrue();
        assertThat(first.path("cohorts"))
                .extracting(c -> c.path("cohort").stringValue())
                .containsExactly("2026-10-01", "2026-11-01");
        var october = first.path("cohorts").get(0);
        assertThat(october.path("size").asLong()).isEqualTo(2);
        assertThat(october.path("retained").toString()).isEqualTo("[2,1,null]");
        assertThat(october.path("rates").toString()).isEqualTo("[1.0,0.5,null]");
        assertThat(october.path("complete").toString()).isEqualTo("[true,false,false]");
        assertThat(first.path("cohorts").get(1).path("retained").toString())
                .isEqualTo("[1,null,null]");
        assertThat(first.path("average_rates").toString()).isEqualTo("[1.0,null,null]");

        var recurring = post(client, 200, PATH, request.formatted("recurring"));
        assertThat(recurring.path("cohorts").get(0).path("retained").toString())
                .isEqualTo("[3,2,null]");
    }

    /** In files and in rows, over a change of the clocks, against sets of periods. */
    @Test
    void agreesWithARecount() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var begin = Instant.parse("2026-09-20T00:00:00Z");
        var events = new ArrayList<CleanEvent>();
        var lake = new LakeProbe(mesh, context);
        for (int part = 0; part < 2; part++) {
            var more = new ArrayList<CleanEvent>();
            for (int i = 0; i < 700; i++) {
                more.add(
                        CleanLog.event(
                                tenant,
                                "e" + part + "-" + i,
                                List.of("sign_up", "login", "click").get(random.nextInt(3)),
                                1 + random.nextInt(60),
                                begin.plus(Duration.ofMinutes(random.nextInt(60 * 24 * 60))),
                                null,
                                "{}"));
            }
            log.send(more);
            events.addAll(more);
            counted(log, client);
            if (part == 0) {
                lake.keep(tenant);
            }
        }
        assertThat(lake.size(tenant)).isEqualTo(700);
        for (var mode : List.of("first_time", "recurring")) {
            for (var length : List.of("day", "week", "month")) {
                for (var returns : List.of("login", "sign_up")) {
                    var answer =
                            post(
                                    client,
                                    200,
                                    PATH,
                                    """
                                    {"cohort_event": {"type": "sign_up"}, "return_event": {"type": "%s"}, "mode": "%s",
                                     "granularity": "%s", "periods": 5, "timezone": "Europe/Lisbon",
                                     "start_time": "2026-10-05T03:00:00Z", "end_time": "2026-11-10T00:00:00Z"}\
                                    """
                                            .formatted(returns, mode, length));
                    assertThat(shown(answer))
                            .as("%s %s %s, seed %d", mode, length, returns, seed)
                            .isEqualTo(recount(events, returns, mode, length));
                }
            }
        }
    }

    /** Counts that are not null, by cohort; cohorts of nobody left out. */
    private static TreeMap<LocalDate, List<Long>> shown(JsonNode answer) {
        var shown = new TreeMap<LocalDate, List<Long>>();
        for (var cohort : answer.path("cohorts")) {
            if (cohort.path("size").asLong() > 0) {
                shown.put(
                        LocalDate.parse(cohort.path("cohort").stringValue()),
                        cohort.path("retained")
                                .valueStream()
                                .map(n -> n.isNull() ? 0 : n.asLong())
                                .toList());
            }
        }
        return shown;
    }

    private static TreeMap<LocalDate, List<Long>> recount(
            List<CleanEvent> events, String returns, String mode, String length) {
        var from = Instant.parse("2026-10-05T03:00:00Z");
        var until = Instant.parse("2026-11-10T00:00:00Z");
        var counts = new TreeMap<LocalDate, List<Long>>();
        for (long person = 1; person <= 60; person++) {
            long of = person;
            var own = events.stream().filter(e -> e.personNo() == of).toList();
            var began =
                    own.stream()
                            .filter(e -> e.eventType().equals("sign_up"))
                            .map(CleanEvent::occurredAt)
                            .sorted()
                            .toList();
            if (mode.equals("first_time") && !began.isEmpty()) {
                began = began.subList(0, 1);
            }
            Set<LocalDate> cohorts = new HashSet<>();
            began.stream()
                    .filter(at -> !at.isBefore(from) && at.isBefore(until))
                    .forEach(at -> cohorts.add(period(at, length)));
            Set<LocalDate> back = new HashSet<>();
            own.stream()
                    .filter(e -> e.eventType().equals(returns))
                    .forEach(e -> back.add(period(e.occurredAt(), length)));
            for (var cohort : cohorts) {
                var row = new ArrayList<>(counts.getOrDefault(cohort, List.of(0L, 0L, 0L, 0L, 0L)));
                row.set(0, row.getFirst() + 1);
                for (int i = 1; i < 5; i++) {
                    if (back.contains(later(cohort, i, length))) {
                        row.set(i, row.get(i) + 1);
                    }
                }
                counts.put(cohort, row);
            }
        }
        return counts;
    }

    private static LocalDate period(Instant at, String length) {
        var day = at.atZone(ZoneId.of("Europe/Lisbon")).toLocalDate();
        return switch (length) {
            case "day" -> day;
            case "week" -> day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
            default -> day.withDayOfMonth(1);
        };
    }

    private static LocalDate later(LocalDate period, int by, String length) {
        return switch (length) {
            case "day" -> period.plusDays(by);
            case "week" -> period.plusWeeks(by);
            default -> period.plusMonths(by);
        };
    }

    @Test
    void wrongQuestionsNameTheField() {
        assertThat(pointers("{}")).containsExactly("/cohort_event/type", "/return_event/type");
        var types = "\"cohort_event\":{\"type\":\"a\"},\"return_event\":{\"type\":\"b\"}";
        assertThat(
                        pointers(
                                "{%s,\"mode\":\"x\",\"granularity\":\"year\",\"periods\":0,\"timezone\":\"Mars/Olympus\"}"
                                        .formatted(types)))
                .containsExactly("/mode", "/granularity", "/periods", "/timezone");
        assertThat(
                        pointers(
                                "{%s,\"granularity\":\"day\",\"start_time\":\"2020-01-01T00:00:00Z\"}"
                                        .formatted(types)))
                .containsExactly("/start_time");
        assertThat(pointers("{%s,\"period\":1}".formatted(types))).containsExactly("/period");
        var cohorts = post(client, 200, PATH, "{%s,\"periods\":4}".formatted(types));
        assertThat(cohorts.path("cohorts")).hasSize(4);
        assertThat(cohorts.path("average_rates").toString()).isEqualTo("[null,null,null,null]");
    }

    private List<String> pointers(String body) {
        return post(client, 400, PATH, body)
                .path("errors")
                .valueStream()
                .map(e -> e.path("pointer").stringValue())
                .toList();
    }

    private CleanEvent event(String id, String type, long person, String at) {
        return CleanLog.event(tenant, id, type, person, at, "{}");
    }
}
