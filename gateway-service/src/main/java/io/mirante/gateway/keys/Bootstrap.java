package io.mirante.gateway.keys;

import io.mirante.gateway.GatewaySettings;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.stereotype.Component;
import reactor.util.retry.Retry;

/** Before the door opens: the first tenant and its keys, from {@code API_KEYS}. Blocks the start until that is done. */
@Component
final class Bootstrap implements InitializingBean {

    static final List<String> ALL_SCOPES =
            List.of("ingest", "analytics.view", "analytics.manage", "admin", "platform");

    private static final Logger LOG = LoggerFactory.getLogger(Bootstrap.class);

    /** Longer than a replica that hangs may keep a key's row locked (30 s, with lock timeouts of 15 s here). */
    private static final Duration LIMIT = Duration.ofSeconds(75);

    private final ApiKeys keys;
    private final GatewaySettings settings;
    private final KeySettings made;

    Bootstrap(ApiKeys keys, GatewaySettings settings, KeySettings made) {
        this.keys = keys;
        this.settings = settings;
        this.made = made;
    }

    @Override
    public void afterPropertiesSet() {
        var hashes = settings.apiKeys().stream().map(PresentedKey::sha256).distinct().toList();
        keys.bootstrap(settings.bootstrapTenant(), hashes, ALL_SCOPES, made.bootstrapRateLimit())
                .retryWhen(Retry.fixedDelay(60, Duration.ofSeconds(1)))
                .block(LIMIT);
        LOG.info("tenant {} has {} keys from API_KEYS", settings.bootstrapTenant(), hashes.size());
    }
}
