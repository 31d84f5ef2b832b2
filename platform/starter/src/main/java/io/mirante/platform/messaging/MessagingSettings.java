package io.mirante.platform.messaging;

import java.time.Duration;
import java.util.Set;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the delivery core.
 *
 * @param bootstrapServers Kafka, {@code host:port,…}
 * @param acceptRecreatedTopics start anew on topics that were recreated, accepting that what they held is gone
 * @param progressOf storing consumers whose sources this service tells the progress of
 * @param pollTimeout how long the effect of one poll may take; longer than the database's statement timeout
 * @param transactionTimeout after which Kafka aborts what a dead publisher left open
 */
@ConfigurationProperties("mirante.messaging")
public record MessagingSettings(
        String bootstrapServers,
        @DefaultValue("false") boolean acceptRecreatedTopics,
        @DefaultValue Set<String> progressOf,
        @DefaultValue("90s") Duration pollTimeout,
        @DefaultValue("15s") Duration transactionTimeout) {}
