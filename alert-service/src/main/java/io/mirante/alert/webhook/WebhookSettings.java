package io.mirante.alert.webhook;

import java.util.List;
import java.util.Locale;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What webhooks may reach.
 *
 * @param webhookAllowedHosts names or addresses, as they stand in the URL, that are let through although they are
 *     private; lower case
 */
@ConfigurationProperties("mirante.alert")
record WebhookSettings(@DefaultValue List<String> webhookAllowedHosts) {

    WebhookSettings {
        webhookAllowedHosts =
                webhookAllowedHosts.stream()
                        .map(h -> h.strip().toLowerCase(Locale.ROOT))
                        .filter(h -> !h.isEmpty())
                        .toList();
    }
}
