package io.mirante.segmentation.profile;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.CleanEvents;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.PoisonException;
import io.mirante.platform.messaging.Received;
import io.mirante.platform.rebuild.Rebuilds;
import io.mirante.platform.tenants.Tenants;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;

/** Where clean events come in. */
@Configuration(proxyBeanMethods = false)
class ProfileBinding {

    /** Name of the consumer, and of its positions. */
    static final String CONSUMER = "keepProfiles";

    @Bean
    Consumer<Message<List<byte[]>>> keepProfiles(
            BatchRunner runner, Profiles profiles, Rebuilds rebuilds, Tenants tenants) {
        return runner.storing(
                CONSUMER,
                ProfileBinding::parse,
                (fresh, db) -> {
                    var events = fresh.stream().map(Received::value).toList();
                    UnaryOperator<String> currency = tenant -> tenants.settings(tenant).currency();
                    var users = ProfileChange.of(events, currency);
                    var visitors = ProfileChange.ofVisitors(events, currency);
                    return rebuilds.running(events.stream().map(CleanEvent::tenantId).toList(), db)
                            .flatMap(running ->
                                    rebuilds.add(events, running, db)
                                            .then(profiles.add(db, users, visitors)));
                });
    }

    @SuppressWarnings("ConstantConditions") // Jackson leaves null where a field is missing
    private static CleanEvent parse(byte[] value, Headers headers) throws PoisonException {
        var event = CleanEvents.parser().parse(value, headers);
        if (isEmpty(event.tenantId())
                || isEmpty(event.eventType())
                || event.occurredAt() == null
                || event.data() == null) {
            throw new PoisonException(
                    "missing_field", "tenant_id, event_type, occurred_at and data must be there");
        }
        return event;
    }

    private static boolean isEmpty(@Nullable String text) {
        return text == null || text.isEmpty();
    }
}
