package io.mirante.alert.webhook;

import io.mirante.alert.TenantLists;
import io.mirante.platform.lifecycle.Periodic;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Hands due deliveries to virtual threads: at most {@value #AT_ONCE} at once, {@value #OF_TENANT} of a tenant, and one of
 * a recipient, so that a slow receiver holds up only itself. Replicas share the work through the deliveries' leases.
 */
@Component
final class DeliverWebhooks extends Periodic {

    private static final Logger LOG = LoggerFactory.getLogger(DeliverWebhooks.class);
    private static final int AT_ONCE = 256;
    private static final int OF_TENANT = 32;
    private static final Duration PAUSE = Duration.ofMillis(250);
    private static final Duration DATABASE = Duration.ofSeconds(10);
    private static final Duration SENDING = Duration.ofSeconds(30);

    private final TenantLists tenantLists;
    private final Deliveries deliveries;
    private final WebhookSender sender;
    private final Clock clock;
    private final RandomGenerator random = RandomGenerator.getDefault();

    /** Recipients with an attempt under way here, and their tenants. */
    private final Map<String, String> busy = new ConcurrentHashMap<>();

    DeliverWebhooks(
            TenantLists tenantLists, Deliveries deliveries, WebhookSender sender, Clock clock) {
        super("deliver-webhooks", PAUSE, PAUSE);
        this.tenantLists = tenantLists;
        this.deliveries = deliveries;
        this.sender = sender;
        this.clock = clock;
    }

    @Override
    protected void turn() {
        var tenants =
                new ArrayList<>(
                        Objects.requireNonNullElse(
                                tenantLists.withDueDeliveries(clock.instant()).block(DATABASE),
                                List.<String>of()));
        // In another order each time: else those at the front would take the free places first,
        // always.
        Collections.shuffle(tenants);
        tenants.forEach(this::handOut);
    }

    private void handOut(String tenant) {
        int ofTenant = Collections.frequency(busy.values(), tenant);
        int free = Math.min(AT_ONCE - busy.size(), OF_TENANT - ofTenant);
        if (free <= 0) {
            return;
        }
        var due =
                Objects.requireNonNullElse(
                        deliveries
                                .take(tenant, busy.keySet(), free, clock.instant())
                                .block(DATABASE),
                        List.<Delivery>of());
        for (var delivery : due) {
            busy.put(delivery.recipientId(), tenant);
            Thread.ofVirtual().name(delivery.id()).start(() -> attempt(tenant, delivery));
        }
    }

    private void attempt(String tenant, Delivery delivery) {
        try {
            var outcome =
                    Objects.requireNonNull(sender.send(delivery, clock.instant()).block(SENDING));
            var now = clock.instant();
            deliveries
                    .end(
                            tenant,
                            delivery,
                            outcome,
                            now,
                            now.plus(delivery.pause(random.nextDouble())))
                    .block(DATABASE);
            if (!(outcome instanceof Outcome.Delivered)) {
                LOG.atInfo()
                        .addKeyValue("tenant_id", tenant)
                        .log(
                                "webhook {} attempt {}: {}",
                                delivery.id(),
                                delivery.attempts(),
                                outcome.answer());
            }
        } catch (RuntimeException e) {
            // Not recorded: the lease runs out, and the message is sent again with the same id.
            LOG.atWarn()
                    .addKeyValue("tenant_id", tenant)
                    .log(
                            "webhook {}: its attempt could not be recorded: {}",
                            delivery.id(),
                            e.getMessage());
        } finally {
            busy.remove(delivery.recipientId());
        }
    }
}
