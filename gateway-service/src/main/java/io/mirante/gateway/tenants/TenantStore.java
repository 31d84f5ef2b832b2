package io.mirante.gateway.tenants;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.gateway.Rows;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Publication;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ObjectNode;

/** The store of tenants. Thread-safe. */
@Component
@CrossTenant("who has scope platform lists all tenants; each has its topic")
class TenantStore {

    private static final String COLUMNS =
            "tenant_id, name, settings::text AS settings, revision, created_at, updated_at";

    private final StreamDatabase all;

    TenantStore(StreamDatabase all) {
        this.all = all;
    }

    /** All tenants by id, after one. */
    Mono<List<Tenant>> list(String after, int limit) {
        return all.client()
                .sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM tenant WHERE tenant_id COLLATE \"C\" > $1"
                                + " ORDER BY tenant_id COLLATE \"C\" LIMIT $2")
                .bind(0, after)
                .bind(1, limit)
                .map(TenantStore::read)
                .all()
                .collectList();
    }

    /** The ids of all tenants. */
    Mono<List<String>> ids() {
        return all.client()
                .sql("SELECT tenant_id FROM tenant")
                .map(row -> Rows.text(row, "tenant_id"))
                .all()
                .collectList();
    }

    /** The tenant whose transaction it is; empty when there is none. */
    static Mono<Tenant> find(DatabaseClient db, String id) {
        return db.sql("SELECT " + COLUMNS + " FROM tenant WHERE tenant_id = $1")
                .bind(0, id)
                .map(TenantStore::read)
                .one();
    }

    /** The same, kept from others until the transaction ends. */
    static Mono<Tenant> lock(DatabaseClient db, String id) {
        return db.sql("SELECT " + COLUMNS + " FROM tenant WHERE tenant_id = $1 FOR UPDATE")
                .bind(0, id)
                .map(TenantStore::read)
                .one();
    }

    /** Adds a tenant; empty when its id is taken. */
    static Mono<Tenant> add(DatabaseClient db, TenantSettings settings) {
        return db.sql(
                        "INSERT INTO tenant (tenant_id, name, settings) VALUES ($1, $2, $3::jsonb)"
                                + " ON CONFLICT (tenant_id) DO NOTHING RETURNING "
                                + COLUMNS)
                .bind(0, settings.id())
                .bind(1, settings.name())
                .bind(2, document(settings))
                .map(TenantStore::read)
                .one();
    }

    /** Replaces a tenant's settings and raises its revision. */
    static Mono<Tenant> change(DatabaseClient db, TenantSettings settings) {
        return db.sql(
                        "UPDATE tenant SET name = $2, settings = $3::jsonb, revision = "
                                + Publication.raised("revision")
                                + ", updated_at = now() WHERE tenant_id = $1 RETURNING "
                                + COLUMNS)
                .bind(0, settings.id())
                .bind(1, settings.name())
                .bind(2, document(settings))
                .map(TenantStore::read)
                .one();
    }

    private static String document(TenantSettings settings) {
        var tree = (ObjectNode) Json.mapper().valueToTree(settings);
        tree.remove(List.of("id", "name", "revision"));
        return Json.mapper().writeValueAsString(tree);
    }

    private static Tenant read(Readable row) {
        return new Tenant(
                settings(row),
                Rows.value(row, "created_at", Instant.class),
                Rows.value(row, "updated_at", Instant.class));
    }

    private static TenantSettings settings(Readable row) {
        var tree = (ObjectNode) Json.mapper().readTree(Rows.text(row, "settings"));
        tree.put("id", Rows.text(row, "tenant_id"));
        tree.put("name", Rows.text(row, "name"));
        tree.put("revision", Rows.value(row, "revision", Long.class));
        return Json.mapper().treeToValue(tree, TenantSettings.class);
    }

    /** Where settings go out. */
    @Configuration(proxyBeanMethods = false)
    static class Binding {

        @Bean
        Publication tenantPublication() {
            return new Publication(
                    "tenant",
                    List.of("tenant_id"),
                    "SELECT "
                            + COLUMNS
                            + " FROM tenant WHERE revision > published_revision ORDER BY tenant_id LIMIT 1000",
                    Binding::outgoing);
        }

        private static Outgoing outgoing(Readable row) {
            var settings = settings(row);
            var revision = Long.toString(settings.revision());
            return new Outgoing(
                    Topics.TENANTS.name(),
                    null,
                    Keys.of(settings.id()),
                    Json.mapper().writeValueAsBytes(settings),
                    Map.of(
                            CloudHeaders.SPEC_VERSION,
                            "1.0",
                            CloudHeaders.ID,
                            settings.id() + "/" + revision,
                            CloudHeaders.TYPE,
                            "tenant_settings",
                            CloudHeaders.SOURCE,
                            "/gateway-service",
                            CloudHeaders.TIME,
                            Rows.value(row, "updated_at", Instant.class).toString(),
                            CloudHeaders.SUBJECT,
                            settings.id(),
                            CloudHeaders.TENANT,
                            settings.id(),
                            CloudHeaders.REVISION,
                            revision));
        }
    }
}
