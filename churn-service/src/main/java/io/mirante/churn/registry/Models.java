package io.mirante.churn.registry;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mirante.churn.model.ChurnModel;
import io.mirante.churn.model.ModelManifest;
import io.mirante.contracts.Json;
import io.mirante.platform.persistence.TenantDatabase;
import io.r2dbc.spi.Readable;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * The tenants' models. Which one is in force changes under an advisory lock that every scoring transaction shares: a
 * poll that scored with the old model has committed before the swap, so that rescoring finds all it scored.
 * Thread-safe; models are kept in memory once read, since they never change.
 */
@Component
public final class Models {

    /** The one kind there is so far. */
    public static final String CHURN = "churn";

    private static final String SHARE =
            "SELECT pg_advisory_xact_lock_shared(hashtext('churn.current_model'))";
    private static final String ALONE =
            "SELECT pg_advisory_xact_lock(hashtext('churn.current_model'))";
    private static final int KEPT_IN_MEMORY = 200;

    private final TenantDatabase database;
    private final Clock clock;
    private final Cache<String, ChurnModel> loaded =
            Caffeine.newBuilder().maximumSize(KEPT_IN_MEMORY).build();

    Models(TenantDatabase database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /** A model as lists and {@code GET /models/{id}} show it. */
    public record Stored(
            String id,
            String kind,
            int version,
            boolean current,
            @Nullable Instant promotedAt,
            Instant createdAt,
            JsonNode manifest) {}

    /**
     * The models in force for tenants, read in a scoring transaction; also holds off a swap until it ends.
     *
     * @param tenants those without a model are missing in the answer
     */
    public Flux<TenantModel> inForce(DatabaseClient db, List<String> tenants) {
        return db.sql(SHARE)
                .map(row -> true)
                .all()
                .thenMany(
                        db.sql(
                                        "SELECT c.tenant_id, m.id, m.kind, m.version FROM current_model c JOIN model m ON m.tenant_id = c.tenant_id AND m.id = c.model_id WHERE c.kind = $1 AND c.tenant_id = ANY($2)")
                                .bind(0, CHURN)
                                .bind(1, tenants.toArray(String[]::new))
                                .map(row ->
                                        new Found(
                                                text(row, "tenant_id"),
                                                text(row, "id"),
                                                text(row, "kind"),
                                                number(row, "version")))
                                .all())
                .collectList()
                .flatMapMany(Flux::fromIterable)
                .concatMap(found -> load(db, found).map(e -> new TenantModel(found.tenant(), e)));
    }

    /** A tenant's model in force. */
    public record TenantModel(String tenant, ModelEntry entry) {}

    /** The model in force, or empty. */
    public Mono<ModelEntry> current(String tenant) {
        return database.one(
                tenant, db -> inForce(db, List.of(tenant)).map(TenantModel::entry).next());
    }

    /** A certain model, or empty. */
    public Mono<ModelEntry> find(String tenant, String id) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        "SELECT id, kind, version FROM model WHERE tenant_id = $1 AND id = $2")
                                .bind(0, tenant)
                                .bind(1, id)
                                .map(row ->
                                        new Found(
                                                tenant,
                                                text(row, "id"),
                                                text(row, "kind"),
                                                number(row, "version")))
                                .one()
                                .flatMap(found -> load(db, found)));
    }

    /** How a model came to be, or empty. */
    public Mono<Stored> describe(String tenant, String id) {
        return database.one(
                tenant,
                db ->
                        db.sql(SELECT + " WHERE m.tenant_id = $1 AND m.id = $2")
                                .bind(0, tenant)
                                .bind(1, id)
                                .map(Models::stored)
                                .one());
    }

    /** A tenant's models, newest first. */
    public Flux<Stored> list(String tenant, int limit, @Nullable String after) {
        return database.many(
                tenant,
                db ->
                        db.sql(
                                        SELECT
                                                + " WHERE m.tenant_id = $1 AND m.version < $2 ORDER BY m.version DESC LIMIT $3")
                                .bind(0, tenant)
                                .bind(1, after == null ? Integer.MAX_VALUE : version(after))
                                .bind(2, limit)
                                .map(Models::stored)
                                .all());
    }

    /**
     * Keeps a trained model under the next version; keeping the same id again changes nothing.
     *
     * @return its version
     */
    public Mono<Integer> keep(String tenant, String id, ChurnModel model, ModelManifest manifest) {
        return database.one(
                tenant,
                db ->
                        db.sql(ALONE)
                                .map(row -> true)
                                .all()
                                .then(
                                        db.sql(
                                                        "INSERT INTO model (tenant_id, id, kind, version, trained, manifest, created_at) SELECT $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5::jsonb, $6 FROM model WHERE tenant_id = $1 AND kind = $3 ON CONFLICT (tenant_id, id) DO NOTHING")
                                                .bind(0, tenant)
                                                .bind(1, id)
                                                .bind(2, CHURN)
                                                .bind(3, model.toBytes())
                                                .bind(4, Json.mapper().writeValueAsString(manifest))
                                                .bind(5, clock.instant())
                                                .fetch()
                                                .rowsUpdated())
                                .then(
                                        db.sql(
                                                        "SELECT version FROM model WHERE tenant_id = $1 AND id = $2")
                                                .bind(0, tenant)
                                                .bind(1, id)
                                                .map(row -> number(row, "version"))
                                                .one()));
    }

    /** Puts a model in force. True when it exists. */
    public Mono<Boolean> promote(String tenant, String id) {
        return database.one(
                tenant,
                db ->
                        db.sql(ALONE)
                                .map(row -> true)
                                .all()
                                .then(
                                        db.sql(
                                                        "INSERT INTO current_model (tenant_id, kind, model_id, promoted_at) SELECT tenant_id, kind, id, $3 FROM model WHERE tenant_id = $1 AND id = $2 ON CONFLICT (tenant_id, kind) DO UPDATE SET model_id = excluded.model_id, promoted_at = excluded.promoted_at")
                                                .bind(0, tenant)
                                                .bind(1, id)
                                                .bind(2, clock.instant())
                                                .fetch()
                                                .rowsUpdated()
                                                .map(n -> n > 0)));
    }

    private static final String SELECT =
            "SELECT m.id, m.kind, m.version, c.promoted_at, m.created_at, m.manifest::text AS manifest FROM model m LEFT JOIN current_model c ON c.tenant_id = m.tenant_id AND c.kind = m.kind AND c.model_id = m.id";

    private Mono<ModelEntry> load(DatabaseClient db, Found found) {
        var key = found.tenant() + "\n" + found.id();
        var known = loaded.getIfPresent(key);
        if (known != null) {
            return Mono.just(new ModelEntry(found.id(), found.kind(), found.version(), known));
        }
        return db.sql("SELECT trained FROM model WHERE tenant_id = $1 AND id = $2")
                .bind(0, found.tenant())
                .bind(1, found.id())
                .map(row -> Objects.requireNonNull(row.get("trained", byte[].class)))
                .one()
                .map(ChurnModel::fromBytes)
                .doOnNext(model -> loaded.put(key, model))
                .map(model -> new ModelEntry(found.id(), found.kind(), found.version(), model));
    }

    private static Stored stored(Readable row) {
        var promotedAt = row.get("promoted_at", Instant.class);
        return new Stored(
                text(row, "id"),
                text(row, "kind"),
                number(row, "version"),
                promotedAt != null,
                promotedAt,
                Objects.requireNonNull(row.get("created_at", Instant.class)),
                Json.mapper().readTree(text(row, "manifest")));
    }

    private static int version(String cursor) {
        try {
            return Integer.parseInt(cursor);
        } catch (NumberFormatException e) {
            return Integer.MAX_VALUE;
        }
    }

    private static String text(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, String.class), column);
    }

    private static int number(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, Integer.class), column);
    }

    private record Found(String tenant, String id, String kind, int version) {}
}
