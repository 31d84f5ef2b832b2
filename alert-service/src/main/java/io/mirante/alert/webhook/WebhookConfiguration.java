package io.mirante.alert.webhook;

import io.mirante.platform.outbound.Destinations;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Where webhooks may go. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(WebhookSettings.class)
class WebhookConfiguration {

    @Bean
    Destinations destinations(WebhookSettings settings) {
        return new Destinations(settings.webhookAllowedHosts(), "WEBHOOK_ALLOWED_HOSTS");
    }
}
