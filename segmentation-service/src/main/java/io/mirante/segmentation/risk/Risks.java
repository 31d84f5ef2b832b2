package io.mirante.segmentation.risk;

import io.mirante.contracts.churn.UserPrediction;
import io.mirante.platform.messaging.Received;
import io.mirante.segmentation.Rows;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** churn's newest score of each user. The given client decides which tenants are seen. */
@Component
public final class Risks {

    Risks() {}

    /** A user's churn risk as answers show it; reasons are at {@code /users/{id}/predictions}. */
    public record Churn(
            String predictionId,
            String modelId,
            int modelVersion,
            double probability,
            String risk,
            Instant asOf) {}

    /** Keeps the highest revision of each user, inside the transaction that advances the position. */
    Mono<Void> store(List<Received<UserPrediction>> fresh, DatabaseClient stream) {
        Map<String, UserPrediction> newest = new HashMap<>();
        for (var received : fresh) {
            var prediction = received.value();
            if (prediction.model().equals("churn")) {
                newest.merge(
                        prediction.tenantId() + "\n" + prediction.userId(),
                        prediction,
                        (a, b) -> a.revision() >= b.revision() ? a : b);
            }
        }
        return newest.isEmpty() ? Mono.empty() : write(new TreeMap<>(newest).values(), stream);
    }

    private static Mono<Void> write(Collection<UserPrediction> all, DatabaseClient stream) {
        return stream.sql(
                        """
                        INSERT INTO user_risk AS r
                          (tenant_id, user_id, revision, prediction_id, model_id, model_version, probability, risk, as_of)
                        SELECT * FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::int[],
                                             $7::float8[], $8::text[], $9::timestamptz[])
                        ON CONFLICT (tenant_id, user_id) DO UPDATE
                        SET revision = excluded.revision, prediction_id = excluded.prediction_id,
                            model_id = excluded.model_id, model_version = excluded.model_version,
                            probability = excluded.probability, risk = excluded.risk, as_of = excluded.as_of
                        WHERE r.revision < excluded.revision
                        """)
                .bind(0, texts(all, UserPrediction::tenantId))
                .bind(1, texts(all, UserPrediction::userId))
                .bind(2, all.stream().map(UserPrediction::revision).toArray(Long[]::new))
                .bind(3, texts(all, UserPrediction::predictionId))
                .bind(4, texts(all, UserPrediction::modelId))
                .bind(5, all.stream().map(UserPrediction::modelVersion).toArray(Integer[]::new))
                .bind(6, all.stream().map(UserPrediction::probability).toArray(Double[]::new))
                .bind(7, texts(all, UserPrediction::risk))
                .bind(8, texts(all, p -> p.asOf().toString()))
                .then();
    }

    /** A user's risk, or empty. */
    public Mono<Churn> find(DatabaseClient db, String tenant, String userId) {
        return db.sql(
                        "SELECT prediction_id, model_id, model_version, probability, risk, as_of FROM user_risk WHERE tenant_id = $1 AND user_id = $2")
                .bind(0, tenant)
                .bind(1, userId)
                .map(row ->
                        new Churn(
                                Rows.text(row, "prediction_id"),
                                Rows.text(row, "model_id"),
                                Rows.value(row, "model_version", Integer.class),
                                Rows.value(row, "probability", Double.class),
                                Rows.text(row, "risk"),
                                Rows.value(row, "as_of", Instant.class)))
                .one();
    }

    private static String[] texts(
            Collection<UserPrediction> all, Function<UserPrediction, String> part) {
        return all.stream().map(part).toArray(String[]::new);
    }
}
