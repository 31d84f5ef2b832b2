package io.mirante.etl;

import java.time.Duration;
import java.util.regex.Pattern;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of etl-service.
 *
 * @param currency ISO 4217, upper case: amounts in it, or without a currency, count in {@code monetary} and the like;
 *     others are not converted and not added
 * @param refresh after which a user's features are computed again without a new event, 1 minute or more: time alone
 *     changes them
 */
@ConfigurationProperties("mirante.etl")
public record EtlSettings(
        @DefaultValue("USD") String currency, @DefaultValue("24h") Duration refresh) {

    private static final Pattern CURRENCY = Pattern.compile("[A-Z]{3}");

    public EtlSettings {
        if (!CURRENCY.matcher(currency).matches()) {
            throw new IllegalArgumentException(
                    "mirante.etl.currency must be three capital letters, was " + currency);
        }
        if (!(refresh.compareTo(Duration.ofMinutes(1)) >= 0)) {
            throw new IllegalArgumentException(
                    "mirante.etl.refresh must be at least 1 minute, was " + refresh);
        }
    }
}
