package io.mirante.alert.metrics;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.metrics.MetricCatalog;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.CleanEvents;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.PoisonException;
import java.math.BigDecimal;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;

/** Where counted events come in. */
@Configuration(proxyBeanMethods = false)
class CleanEventsBinding {

    private static final int MAX_DIGITS = 30;
    private static final int MAX_SCALE = 100;

    @Bean
    Consumer<Message<List<byte[]>>> measureCleanEvents(BatchRunner runner, MeasureEvents handler) {
        return runner.storing("measureCleanEvents", CleanEventsBinding::parse, handler::store);
    }

    private static CleanEvent parse(byte[] value, Headers headers) throws PoisonException {
        return checked(CleanEvents.parser().parse(value, headers));
    }

    /** Sorts out what would break the sums of its neighbours: no tenant, no time, an amount no sum can hold. */
    static CleanEvent checked(@Nullable CleanEvent event) throws PoisonException {
        if (event == null
                || isEmpty(event.tenantId())
                || isEmpty(event.eventType())
                || isMissing(event.occurredAt())
                || isMissing(event.data())
                || isMissing(event.context())) {
            throw new PoisonException(
                    "missing_field",
                    "tenant_id, event_type, occurred_at, data and context must be there");
        }
        for (var measurement : MetricCatalog.measure(event)) {
            if (digits(measurement.value()) > MAX_DIGITS
                    || measurement.value().scale() > MAX_SCALE
                    || measurement.dimensions().values().stream()
                            .anyMatch(CleanEventsBinding::nul)) {
                throw new PoisonException(
                        "out_of_range",
                        "what the event adds to %s.%s cannot be stored"
                                .formatted(measurement.scope(), measurement.metric()));
            }
        }
        return event;
    }

    private static long digits(BigDecimal value) {
        return (long) value.precision() - value.scale();
    }

    private static boolean nul(String text) {
        return text.indexOf('\0') >= 0;
    }

    private static boolean isEmpty(@Nullable String text) {
        return text == null || text.isEmpty();
    }

    private static boolean isMissing(@Nullable Object field) {
        return field == null;
    }
}
