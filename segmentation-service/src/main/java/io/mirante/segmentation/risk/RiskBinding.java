package io.mirante.segmentation.risk;

import io.mirante.contracts.churn.UserPrediction;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.PoisonException;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;

/** Where predictions come in. */
@Configuration(proxyBeanMethods = false)
class RiskBinding {

    private static final Parser<UserPrediction> JSON = Parser.json(UserPrediction.class);

    @Bean
    Consumer<Message<List<byte[]>>> keepPredictions(BatchRunner runner, Risks risks) {
        return runner.storing("keepPredictions", RiskBinding::parse, risks::store);
    }

    private static UserPrediction parse(byte[] value, Headers headers) throws PoisonException {
        var p = JSON.parse(value, headers);
        // Jackson leaves null where a field is missing
        if (Stream.of(
                        p.tenantId(),
                        p.userId(),
                        p.predictionId(),
                        p.model(),
                        p.modelId(),
                        p.risk(),
                        p.asOf())
                .anyMatch(Objects::isNull)) {
            throw new PoisonException("missing_field", "a required field is missing");
        }
        return p;
    }
}
