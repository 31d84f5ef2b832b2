package io.mirante.churn.scoring;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.churn.UserPrediction;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.PoisonException;
import io.mirante.platform.messaging.Publication;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;

/** Where features come in and scores go out. */
@Configuration(proxyBeanMethods = false)
class FeaturesBinding {

    private static final Parser<UserFeatures> JSON = Parser.json(UserFeatures.class);

    @Bean
    Consumer<Message<List<byte[]>>> scoreOnFeaturesChanged(BatchRunner runner, ScoreChurn handler) {
        return runner.storing("scoreOnFeaturesChanged", FeaturesBinding::parse, handler::store);
    }

    @Bean
    Publication predictionPublication() {
        return new Publication(
                "user_prediction",
                List.of("tenant_id", "user_id"),
                "SELECT tenant_id, user_id, prediction_id, model_id, model_version, probability, risk, reasons::text AS reasons, as_of, revision FROM user_prediction WHERE revision > published_revision ORDER BY tenant_id, user_id LIMIT 1000",
                FeaturesBinding::outgoing);
    }

    @SuppressWarnings("ConstantConditions") // Jackson leaves null where a field is missing
    private static UserFeatures parse(byte[] value, Headers headers) throws PoisonException {
        var features = JSON.parse(value, headers);
        if (isEmpty(features.tenantId()) || isEmpty(features.userId()) || features.asOf() == null) {
            throw new PoisonException(
                    "missing_field", "tenant_id, user_id and as_of must be there");
        }
        return features;
    }

    private static boolean isEmpty(@org.jspecify.annotations.Nullable String text) {
        return text == null || text.isEmpty();
    }

    private static Outgoing outgoing(Readable row) {
        var tenant = text(row, "tenant_id");
        var user = text(row, "user_id");
        var asOf = Objects.requireNonNull(row.get("as_of", Instant.class));
        long revision = Objects.requireNonNull(row.get("revision", Long.class));
        var prediction =
                new UserPrediction(
                        tenant,
                        user,
                        text(row, "prediction_id"),
                        "churn",
                        text(row, "model_id"),
                        Objects.requireNonNull(row.get("model_version", Integer.class)),
                        Objects.requireNonNull(row.get("probability", Double.class)),
                        text(row, "risk"),
                        reasons(text(row, "reasons")),
                        asOf,
                        revision);
        return new Outgoing(
                Topics.PREDICTIONS.name(),
                null,
                Keys.of(tenant, user),
                Json.mapper().writeValueAsBytes(prediction),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        prediction.predictionId(),
                        CloudHeaders.TYPE,
                        "user_prediction",
                        CloudHeaders.SOURCE,
                        "/churn-service",
                        CloudHeaders.TIME,
                        asOf.toString(),
                        CloudHeaders.SUBJECT,
                        user,
                        CloudHeaders.TENANT,
                        tenant,
                        CloudHeaders.REVISION,
                        Long.toString(revision),
                        CloudHeaders.AS_OF,
                        asOf.toString()));
    }

    /** The message's value is a number: reasons that rest on a missing feature are in the API alone. */
    private static List<UserPrediction.Reason> reasons(String column) {
        return Predictions.reasons(column).stream()
                .flatMap(r -> {
                    var value = r.value();
                    return value == null
                            ? java.util.stream.Stream.empty()
                            : java.util.stream.Stream.of(
                                    new UserPrediction.Reason(
                                            r.feature(), value, r.contribution(), r.text()));
                })
                .toList();
    }

    private static String text(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, String.class), column);
    }
}
