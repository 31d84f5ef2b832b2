package io.mirante.bench.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.events.EventValidator;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SimulationTest {
    private static final Instant START = Instant.parse("2026-09-12T00:00:00Z");
    private static final Instant END = Instant.parse("2026-11-21T10:00:00Z");

    private static Simulation shop(long seed, int people) {
        return new Simulation(SimulationSettings.of(seed, START, END, people));
    }

    @Test
    void equalSettingsMakeEqualEventsToTheByte() {
        List<String> first = shop(7, 200).history().map(e -> new String(e.json())).toList();
        List<String> second = shop(7, 200).history().map(e -> new String(e.json())).toList();

        assertThat(first).hasSizeGreaterThan(3000).isEqualTo(second);
        assertThat(shop(8, 200).history().map(SimulatedEvent::id).findFirst())
                .isNotEqualTo(shop(7, 200).history().map(SimulatedEvent::id).findFirst());
    }

    @Test
    void theFirstEventNeverChanges() {
        SimulatedEvent first = shop(7, 200).history().findFirst().orElseThrow();

        assertThat(first.id()).startsWith("sim7-");
        assertThat(shop(7, 200).history().limit(500).mapToLong(e -> e.id().hashCode()).sum())
                .as("a golden sum: ids that change would make every played history count twice")
                .isEqualTo(GOLDEN);
    }

    private static final long GOLDEN = 203_585_526_584L;

    @Test
    void sentInOrderBeforeTheEndAndValidIdsAreUnique() {
        Set<String> ids = new HashSet<>();
        Instant[] last = {START};
        shop(7, 200)
                .history()
                .forEach(event -> {
                    assertThat(event.sendAt()).isAfterOrEqualTo(last[0]).isBefore(END);
                    last[0] = event.sendAt();
                    if (event.fate() == Fate.VALID) {
                        assertThat(ids.add(event.id())).as(event.id()).isTrue();
                    }
                    if (event.fate() == Fate.DUPLICATE) {
                        assertThat(ids).contains(event.id());
                    }
                });
    }

    @Test
    void theContractAcceptsWhatIsValidAndNothingElse() {
        EventValidator validator = new EventValidator();
        var rules = new EventValidator.Rules(false, true, 65_536, END, "/http");
        Map<Fate, Integer> seen = new HashMap<>();
        shop(7, 300)
                .history()
                .forEach(event -> {
                    seen.merge(event.fate(), 1, Integer::sum);
                    var result = validator.validate(event.json(), rules);
                    if (event.fate() == Fate.INVALID) {
                        assertThat(result)
                                .as(() -> new String(event.json()))
                                .isInstanceOf(EventValidator.Rejected.class);
                    } else {
                        assertThat(result)
                                .as(() -> new String(event.json()))
                                .isInstanceOf(EventValidator.Accepted.class);
                    }
                });
        assertThat(seen.get(Fate.INVALID)).isGreaterThan(20);
        assertThat(seen.get(Fate.DUPLICATE)).isGreaterThan(50);
    }

    @Test
    void everyTypeOfTheStoryIsThereAndTheUsualScaleIsTheDemos() {
        Recount recount = new Recount();
        Simulation shop = shop(7, 2000);
        shop.history().forEach(recount::add);

        assertThat(recount.sent()).isBetween(60_000L, 110_000L);
        assertThat(recount.sent()).isEqualTo(recount.accepted() + recount.invalid());
        assertThat(recount.accepted()).isEqualTo(recount.stored() + recount.duplicates());
        for (String type :
                List.of(
                        "page_view",
                        "search",
                        "sign_up",
                        "login",
                        "product_view",
                        "add_to_cart",
                        "checkout_started",
                        "purchase",
                        "subscription_started",
                        "subscription_renewed",
                        "subscription_cancelled",
                        "content_watched",
                        "conversation.created",
                        "conversation.first_reply",
                        "conversation.resolved",
                        "ticket.created",
                        "ticket.sla_breached",
                        "csat.submitted")) {
            assertThat(recount.count(type)).as(type).isGreaterThan(10);
        }
        List<Integer> funnel =
                recount.funnel(
                        List.of("page_view", "product_view", "add_to_cart", "purchase"),
                        Duration.ofDays(14));
        assertThat(funnel).isSortedAccordingTo((a, b) -> b - a);
        assertThat(funnel.getLast()).isBetween(500, 2000);
    }

    @Test
    void whoeverLeftStaysAwayAndBothKindsAreManyEnoughToLearnFrom() {
        Simulation shop = shop(7, 2000);
        Map<String, Instant> lastSeen = new HashMap<>();
        shop.history()
                .filter(e -> e.fate() == Fate.VALID && e.userId() != null)
                .forEach(e ->
                        lastSeen.merge(e.userId(), e.timestamp(), (a, b) -> b.isAfter(a) ? b : a));
        Instant early = END.minus(Duration.ofDays(21));
        Set<String> gone =
                lastSeen.keySet().stream()
                        .filter(user -> shop.hasLeft(user, early))
                        .collect(Collectors.toSet());

        assertThat(gone)
                .allSatisfy(user ->
                        assertThat(lastSeen.get(user)).isBefore(early.plus(Duration.ofDays(2))));
        assertThat(gone.size()).isBetween(lastSeen.size() / 8, lastSeen.size() * 6 / 10);
    }

    @Test
    void liveEventsOfASecondAreTheSameWhoeverAsks() {
        Simulation shop = shop(7, 300);
        long second = END.getEpochSecond() + 100;
        List<String> alone = shop.liveSecond(second, 40).stream().map(SimulatedEvent::id).toList();
        List<SimulatedEvent> inStream =
                shop.live(Instant.ofEpochSecond(second - 3), 40).limit(2000).toList();

        assertThat(inStream)
                .filteredOn(e -> e.timestamp().getEpochSecond() == second)
                .extracting(SimulatedEvent::id)
                .containsExactlyElementsOf(alone);
        double seconds =
                Duration.between(inStream.getFirst().timestamp(), inStream.getLast().timestamp())
                                .toMillis()
                        / 1000.0;
        assertThat(inStream.size() / seconds).as("events a second").isBetween(25.0, 60.0);
        assertThat(inStream).extracting(SimulatedEvent::fate).containsOnly(Fate.VALID);
    }

    @Test
    void anIncidentBreachesEveryTicketItOpens() {
        List<SimulatedEvent> incident = shop(7, 100).incident(END, 8);

        assertThat(incident).hasSize(16);
        assertThat(incident).filteredOn(e -> e.type().equals("ticket.sla_breached")).hasSize(8);
        assertThat(incident)
                .allSatisfy(e -> assertThat(e.data()).containsEntry("channel", "whatsapp"));
    }

    @Test
    void machinesProduceWhenTheyRunAndNotMoreGoodThanProduced() {
        List<SimulatedReading> readings =
                shop(7, 100).telemetry(END.minus(Duration.ofHours(8)), END).toList();

        assertThat(readings).hasSize(8 * 60 * 4);
        assertThat(readings)
                .allSatisfy(reading -> {
                    int produced = (int) reading.metrics().get("produced");
                    int good = (int) reading.metrics().get("good");
                    assertThat(good).isBetween(0, produced);
                    if (reading.metrics().get("running").equals(0)) {
                        assertThat(produced).isZero();
                    }
                });
        assertThat(readings).extracting(r -> r.metrics().get("running")).contains(0, 1);
    }

    @Test
    void settingsRefuseWhatCannotBeSimulated() {
        assertThatThrownBy(() -> SimulationSettings.of(1, START.plusSeconds(1), END, 100))
                .hasMessageContaining("midnight");
        assertThatThrownBy(() -> SimulationSettings.of(1, START, START, 100))
                .hasMessageContaining("after start");
        assertThatThrownBy(() -> SimulationSettings.of(1, START, END, 19))
                .hasMessageContaining("people");
        assertThatThrownBy(() -> new SimulationSettings(1, START, END, 20, 0, Double.NaN, 0))
                .hasMessageContaining("invalidShare");
    }
}
