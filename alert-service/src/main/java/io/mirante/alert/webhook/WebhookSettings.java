package io.mirante.alert.webhook;

import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What webhooks may reach.
 *
 * @param webhookAllowedHosts names or addresses, as they stand in the URL, that are let through although they are
 *     private
 */
@ConfigurationProperties("mirante.alert")
record WebhookSettings(@DefaultValue List<String> webhookAllowedHosts) {}
