package io.mirante.platform.rebuild;

import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.jobs.JobsAutoConfiguration;
import io.mirante.platform.jobs.RemoteJobs;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.MessagingAutoConfiguration;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.security.TokenMinter;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.context.annotation.Bean;
import org.springframework.messaging.Message;

/** Rebuilding, for services that have a second generation. */
@AutoConfiguration(after = {MessagingAutoConfiguration.class, JobsAutoConfiguration.class})
@ConditionalOnBean(SecondGeneration.class)
public class RebuildAutoConfiguration {

    @Bean
    Rebuilds rebuilds(SecondGeneration second) {
        return new Rebuilds(second);
    }

    @Bean
    RebuildRange rebuildRange(
            SecondGeneration second,
            TenantDatabase database,
            Jobs jobs,
            TokenMinter tokens,
            @Value("${mirante.rebuild.etl-url}") String etl,
            @Value("${mirante.database.schema}") String service) {
        return new RebuildRange(
                new RebuildRows(second, database),
                jobs,
                new RemoteJobs("etl", etl, service + "-service", tokens));
    }

    @Bean
    Consumer<Message<List<byte[]>>> countReplayedEvents(BatchRunner runner, Rebuilds rebuilds) {
        var handler = new StoreReplayedEvents(rebuilds);
        return runner.storing("countReplayedEvents", StoreReplayedEvents::parse, handler::store);
    }
}
