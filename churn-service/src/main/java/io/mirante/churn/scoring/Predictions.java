package io.mirante.churn.scoring;

import io.mirante.contracts.Json;
import io.mirante.platform.messaging.Publication;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;

/** History of predictions and each user's score in force. The given client decides which tenants are seen. */
@Component
final class Predictions {

    private static final TypeReference<List<Prediction.Reason>> REASONS = new TypeReference<>() {};
    private static final String COLUMNS =
            "id, customer_id, model, model_id, model_version, label, probability, margin, base_value, threshold, risk, reasons::text AS reasons, as_of, created_at";

    /** A score in force. */
    record InForce(String tenant, String userId, String modelId, double probability, String risk) {}

    /** A prediction with the tenant it belongs to. */
    record Of(String tenant, Prediction prediction) {}

    /** The scores in force of users, of those that have one. */
    Flux<InForce> inForce(DatabaseClient db, List<FeatureVector> vectors) {
        return db.sql(
                        "SELECT p.tenant_id, p.user_id, p.model_id, p.probability, p.risk FROM UNNEST($1::text[], $2::text[]) AS n(t, u) JOIN user_prediction p ON p.tenant_id = n.t AND p.user_id = n.u")
                .bind(0, vectors.stream().map(FeatureVector::tenant).toArray(String[]::new))
                .bind(1, vectors.stream().map(FeatureVector::userId).toArray(String[]::new))
                .map(row ->
                        new InForce(
                                text(row, "tenant_id"),
                                text(row, "user_id"),
                                text(row, "model_id"),
                                number(row, "probability"),
                                text(row, "risk")))
                .all();
    }

    /** Moves {@code as_of} of scores that stay as they are; nothing is published for that. */
    Mono<Void> confirm(DatabaseClient db, List<FeatureVector> vectors) {
        return db.sql(
                        "UPDATE user_prediction p SET as_of = n.a FROM UNNEST($1::text[], $2::text[], $3::timestamptz[]) AS n(t, u, a) WHERE p.tenant_id = n.t AND p.user_id = n.u")
                .bind(0, vectors.stream().map(FeatureVector::tenant).toArray(String[]::new))
                .bind(1, vectors.stream().map(FeatureVector::userId).toArray(String[]::new))
                .bind(2, vectors.stream().map(v -> v.asOf().toString()).toArray(String[]::new))
                .then();
    }

    /** Puts scores in force; each has a customer and an {@code as_of}. */
    Mono<Void> putInForce(DatabaseClient db, List<Of> all) {
        return db.sql(
                        """
                        INSERT INTO user_prediction AS p
                          (tenant_id, user_id, prediction_id, model_id, model_version, probability, risk, reasons, as_of, revision)
                        SELECT t, u, i, m, v, p, k, j::jsonb, a, %s
                        FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::float8[], $7::text[],
                                    $8::text[], $9::timestamptz[]) AS n(t, u, i, m, v, p, k, j, a)
                        ON CONFLICT (tenant_id, user_id) DO UPDATE
                        SET prediction_id = excluded.prediction_id, model_id = excluded.model_id,
                            model_version = excluded.model_version, probability = excluded.probability,
                            risk = excluded.risk, reasons = excluded.reasons, as_of = excluded.as_of,
                            revision = %s
                        """
                                .formatted(
                                        Publication.raised("0"), Publication.raised("p.revision")))
                .bind(0, texts(all, Of::tenant))
                .bind(1, texts(all, p -> Objects.requireNonNull(p.prediction().customerId())))
                .bind(2, texts(all, p -> p.prediction().predictionId()))
                .bind(3, texts(all, p -> p.prediction().modelId()))
                .bind(
                        4,
                        all.stream()
                                .map(p -> p.prediction().modelVersion())
                                .toArray(Integer[]::new))
                .bind(5, all.stream().map(p -> p.prediction().probability()).toArray(Double[]::new))
                .bind(6, texts(all, p -> p.prediction().risk()))
                .bind(7, texts(all, p -> reasons(p.prediction())))
                .bind(8, texts(all, p -> Objects.requireNonNull(p.prediction().asOf()).toString()))
                .then();
    }

    /**
     * Adds to the history.
     *
     * @param origin {@code features} or {@code request}
     */
    Mono<Void> remember(DatabaseClient db, List<Of> all, String origin) {
        if (all.isEmpty()) {
            return Mono.empty();
        }
        return db.sql(
                        """
                        INSERT INTO prediction
                          (tenant_id, id, customer_id, model, model_id, model_version, label, probability, margin,
                           base_value, threshold, risk, reasons, as_of, created_at, origin)
                        SELECT t, i, c, k, m, v, l, p, g, b, h, r, j::jsonb, a, z, $16
                        FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[],
                                    $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::text[], $13::text[],
                                    $14::timestamptz[], $15::timestamptz[])
                             AS n(t, i, c, k, m, v, l, p, g, b, h, r, j, a, z)
                        """)
                .bind(0, texts(all, Of::tenant))
                .bind(1, texts(all, p -> p.prediction().predictionId()))
                .bind(2, texts(all, p -> p.prediction().customerId()))
                .bind(3, texts(all, p -> p.prediction().model()))
                .bind(4, texts(all, p -> p.prediction().modelId()))
                .bind(
                        5,
                        all.stream()
                                .map(p -> p.prediction().modelVersion())
                                .toArray(Integer[]::new))
                .bind(6, texts(all, p -> p.prediction().label()))
                .bind(7, all.stream().map(p -> p.prediction().probability()).toArray(Double[]::new))
                .bind(8, all.stream().map(p -> p.prediction().margin()).toArray(Double[]::new))
                .bind(9, all.stream().map(p -> p.prediction().baseValue()).toArray(Double[]::new))
                .bind(10, all.stream().map(p -> p.prediction().threshold()).toArray(Double[]::new))
                .bind(11, texts(all, p -> p.prediction().risk()))
                .bind(12, texts(all, p -> reasons(p.prediction())))
                .bind(
                        13,
                        texts(
                                all,
                                p -> {
                                    var asOf = p.prediction().asOf();
                                    return asOf == null ? null : asOf.toString();
                                }))
                .bind(14, texts(all, p -> p.prediction().createdAt().toString()))
                .bind(15, origin)
                .then();
    }

    /** History, newest first, filtered by what is not null. */
    Flux<Prediction> history(
            DatabaseClient db,
            String tenant,
            @Nullable String customerId,
            @Nullable String risk,
            int limit,
            @Nullable String after) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM prediction WHERE tenant_id = $1 AND ($2 = '' OR customer_id = $2) AND ($3 = '' OR risk = $3) AND ($4 = '' OR id < $4) ORDER BY id DESC LIMIT $5")
                .bind(0, tenant)
                .bind(1, customerId == null ? "" : customerId)
                .bind(2, risk == null ? "" : risk)
                .bind(3, after == null ? "" : after)
                .bind(4, limit)
                .map(Predictions::prediction)
                .all();
    }

    /** One of the history, or empty. */
    Mono<Prediction> find(DatabaseClient db, String tenant, String id) {
        return db.sql("SELECT " + COLUMNS + " FROM prediction WHERE tenant_id = $1 AND id = $2")
                .bind(0, tenant)
                .bind(1, id)
                .map(Predictions::prediction)
                .one();
    }

    /** A user's score in force with its reasons, or empty; its {@code as_of} is that of the newest features. */
    Mono<Prediction> ofUser(DatabaseClient db, String tenant, String userId) {
        return db.sql(
                        "SELECT h.id, h.customer_id, h.model, h.model_id, h.model_version, h.label, h.probability, h.margin, h.base_value, h.threshold, h.risk, h.reasons::text AS reasons, p.as_of, h.created_at FROM user_prediction p JOIN prediction h ON h.tenant_id = p.tenant_id AND h.id = p.prediction_id WHERE p.tenant_id = $1 AND p.user_id = $2")
                .bind(0, tenant)
                .bind(1, userId)
                .map(Predictions::prediction)
                .one();
    }

    private static Prediction prediction(Readable row) {
        return new Prediction(
                text(row, "id"),
                row.get("customer_id", String.class),
                text(row, "model"),
                text(row, "model_id"),
                Objects.requireNonNull(row.get("model_version", Integer.class)),
                text(row, "label"),
                number(row, "probability"),
                number(row, "margin"),
                number(row, "base_value"),
                number(row, "threshold"),
                text(row, "risk"),
                reasons(text(row, "reasons")),
                row.get("as_of", Instant.class),
                Objects.requireNonNull(row.get("created_at", Instant.class)));
    }

    /** The largest reasons as kept in a column. */
    static String reasons(Prediction prediction) {
        return Json.mapper().writeValueAsString(prediction.brief().reasons());
    }

    static List<Prediction.Reason> reasons(String column) {
        return Json.mapper().readValue(column, REASONS);
    }

    private static String text(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, String.class), column);
    }

    private static double number(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, Double.class), column);
    }

    private static @Nullable String[] texts(List<Of> all, Function<Of, @Nullable String> part) {
        return all.stream().map(part).toArray(String[]::new);
    }
}
