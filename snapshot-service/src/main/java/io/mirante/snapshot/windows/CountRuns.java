package io.mirante.snapshot.windows;

import io.mirante.contracts.etl.RunEnded;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.EndedRuns;
import io.mirante.platform.messaging.Received;
import io.mirante.snapshot.CountedUpTo;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Counts each end of a run of etl in the windows of scope {@code etl} that it ended in, once. They do not come from the
 * event log, so a rebuild leaves them as they are.
 */
@Configuration(proxyBeanMethods = false)
class CountRuns {

    private final Windows windows;
    private final CountedUpTo countedUpTo;

    CountRuns(Windows windows, CountedUpTo countedUpTo) {
        this.windows = windows;
        this.countedUpTo = countedUpTo;
    }

    @Bean
    Consumer<Message<List<byte[]>>> countEndedRuns(BatchRunner runner) {
        return runner.storing("countEndedRuns", EndedRuns::parse, this::store);
    }

    private Mono<Void> store(List<Received<RunEnded>> fresh, DatabaseClient stream) {
        var ends = fresh.stream().map(Received::value).toList();
        return EndedRuns.uncounted(ends, stream)
                .flatMap(uncounted -> windows.addRuns(uncounted, countedUpTo.lately(), stream));
    }
}
