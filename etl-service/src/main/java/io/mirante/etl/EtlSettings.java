package io.mirante.etl;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of etl-service.
 *
 * @param refresh after which a user's features are computed again without a new event, 1 minute or more: time alone
 *     changes them
 */
@ConfigurationProperties("mirante.etl")
public record EtlSettings(@DefaultValue("24h") Duration refresh) {

    public EtlSettings {
        if (!(refresh.compareTo(Duration.ofMinutes(1)) >= 0)) {
            throw new IllegalArgumentException(
                    "mirante.etl.refresh must be at least 1 minute, was " + refresh);
        }
    }
}
