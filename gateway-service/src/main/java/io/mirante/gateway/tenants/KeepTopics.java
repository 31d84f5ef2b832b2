package io.mirante.gateway.tenants;

import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.messaging.TenantTopics;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Sees to it that every tenant has the topic of its own producers, from the start on: a Kafka that lost its data, or another
 * one, does not know tenants that were made before. Every replica does so; who comes second changes nothing.
 */
@Component
final class KeepTopics extends Periodic {

    private static final Logger LOG = LoggerFactory.getLogger(KeepTopics.class);
    private static final Duration PAUSE = Duration.ofSeconds(10);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final TenantStore tenants;
    private final TenantTopics topics;

    KeepTopics(TenantStore tenants, TenantTopics topics) {
        super("tenant-topics", Duration.ZERO, PAUSE);
        this.tenants = tenants;
        this.topics = topics;
    }

    @Override
    protected void turn() {
        var made = tenants.ids().flatMap(topics::createMissing).blockOptional(LIMIT);
        made.filter(names -> !names.isEmpty()).ifPresent(KeepTopics::tell);
    }

    private static void tell(List<String> names) {
        LOG.warn(
                "Kafka had not the topics of {} tenants' own producers, such as {}: made",
                names.size(),
                names.getFirst());
    }
}
