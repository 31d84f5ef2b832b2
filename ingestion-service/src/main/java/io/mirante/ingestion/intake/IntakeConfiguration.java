package io.mirante.ingestion.intake;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.platform.keys.MasterKeys;
import io.mirante.platform.limits.SharedBuckets;
import io.mirante.platform.tenants.Tenants;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Ties the way in to the tenants' settings. */
@Configuration(proxyBeanMethods = false)
final class IntakeConfiguration {

    @Bean
    TenantRules tenantRules(Tenants tenants, MasterKeys keys) {
        return new TenantRules(tenants::settings, keys);
    }

    @Bean
    EventLimits eventLimits(
            Tenants tenants,
            MeterRegistry meters,
            @Value("${mirante.ingestion.events-per-second:0}") int eventsPerSecond,
            @Value("${mirante.ingestion.redis-url:}") String redisUrl) {
        if (!(eventsPerSecond >= 0)) {
            throw new IllegalArgumentException(
                    "mirante.ingestion.events-per-second (EVENTS_PER_SECOND) must be 0 (no limit) or"
                            + " more, was "
                            + eventsPerSecond);
        }
        var redis = SharedBuckets.url(redisUrl);
        return new EventLimits(
                tenant -> tenants.settings(tenant).limits(),
                eventsPerSecond,
                System::nanoTime,
                redis == null ? null : new SharedBuckets(redis),
                meters);
    }
}
