package io.mirante.etl.log;

import io.mirante.etl.EtlSettings;
import io.mirante.platform.messaging.BatchRunner;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;

/** The two functions that read raw events; critical ones on threads of their own. */
@Configuration(proxyBeanMethods = false)
final class RawEventsBinding {

    @Bean
    BlockedIds blockedIds(EtlSettings settings) {
        return new BlockedIds(settings.blockedIds());
    }

    @Bean
    Consumer<Message<List<byte[]>>> storeRawEvents(
            BatchRunner runner, StoreEvents handler, BlockedIds blocked) {
        return runner.publishing("storeRawEvents", new RawEvents(blocked), handler);
    }

    @Bean
    Consumer<Message<List<byte[]>>> storeCriticalEvents(
            BatchRunner runner, StoreEvents handler, BlockedIds blocked) {
        return runner.publishing("storeCriticalEvents", new RawEvents(blocked), handler);
    }
}
