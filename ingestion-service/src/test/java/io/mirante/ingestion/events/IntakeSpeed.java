package io.mirante.ingestion.events;

import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.ingestion.body.BodySlices;
import io.mirante.ingestion.intake.Checked;
import io.mirante.ingestion.intake.Item;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

/** How long the check of an event takes, by hand: {@code -Dtest=IntakeSpeed}. Not part of the suite. */
class IntakeSpeed {

    @Test
    void batchesOfFiveHundred() {
        var body = new StringBuilder("{\"events\": [");
        for (int i = 0; i < 500; i++) {
            if (i > 0) {
                body.append(',');
            }
            body.append(
                    """
                    {"event_id": "evt_%d", "user_id": "user_%d", "anonymous_id": null, "session_id": "sess_456",
                     "timestamp": "2026-11-20T10:00:00Z", "sent_at": null, "schema_version": 1,
                     "event_type": {"type": "PageView", "data": {"url": "/products/%d", "title": "Products", "duration_ms": 5000}},
                     "metadata": {},
                     "context": {"device": {"device_type": "Desktop", "os": "Windows", "browser": "Chrome", "screen_resolution": [1920, 1080]},
                                 "location": {"country": "BR", "city": "São Paulo", "timezone": "America/Sao_Paulo"},
                                 "referrer": null, "user_agent": "Mozilla/5.0", "viewport": {"width": 1920, "height": 1080}}}
                    """
                            .formatted(i, i % 50, i));
        }
        byte[] bytes = body.append("]}").toString().getBytes(StandardCharsets.UTF_8);
        var settings = TenantSettings.defaults("acme");
        var items = Slice.items(tenant -> settings);
        for (int round = 0; round < 12; round++) {
            long start = System.nanoTime();
            int n = 0;
            long size = 0;
            for (int i = 0; i < 200; i++) {
                var rules =
                        new EventValidator.Rules(
                                false,
                                true,
                                65_536,
                                Instant.now(),
                                "/http",
                                Duration.ofMinutes(15));
                var all = new ArrayList<Checked>();
                for (var slice : BodySlices.list(bytes, "events", 5000)) {
                    all.add(items.check("acme", bytes, slice.from(), slice.to(), rules));
                }
                for (var one : all) {
                    size += ((Item.Recorded) one.item()).record().toRecord().value().length;
                    n++;
                }
            }
            double micros = (System.nanoTime() - start) / 1e3 / n;
            System.err.printf(
                    "SPEED %.2f us/event %.0f events/s (%d bytes in, %d out)%n",
                    micros, 1e6 / micros, bytes.length / 500, size / n);
        }
    }
}
