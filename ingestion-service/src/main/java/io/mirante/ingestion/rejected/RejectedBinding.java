package io.mirante.ingestion.rejected;

import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.Received;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;

/** Stores what this service and etl rejected; received = stored + already there + dead-lettered. */
@Configuration(proxyBeanMethods = false)
final class RejectedBinding {

    @Bean
    Consumer<Message<List<byte[]>>> keepRejected(BatchRunner runner, RejectedEvents rejected) {
        return runner.storing(
                "keepRejected",
                Parser.json(RejectedEvent.class),
                (fresh, stream) ->
                        rejected.insert(fresh.stream().map(Received::value).toList(), stream));
    }
}
