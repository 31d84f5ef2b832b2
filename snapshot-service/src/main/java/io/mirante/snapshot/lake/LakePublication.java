package io.mirante.snapshot.lake;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.snapshot.LakeCovered;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Publication;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Tells {@code mirante.lake} how far the files go, so that others may forget what is in them. */
@Configuration(proxyBeanMethods = false)
class LakePublication {

    @Bean
    Publication lakeCoverage() {
        return new Publication(
                "lake_tenant",
                List.of("tenant_id"),
                """
                SELECT tenant_id, covered_until, revision FROM lake_tenant
                WHERE revision > published_revision AND covered_until IS NOT NULL ORDER BY tenant_id LIMIT 1000\
                """,
                LakePublication::message);
    }

    private static Outgoing message(Readable row) {
        var covered =
                new LakeCovered(
                        Objects.requireNonNull(row.get("tenant_id", String.class)),
                        Objects.requireNonNull(row.get("covered_until", Instant.class)),
                        Objects.requireNonNull(row.get("revision", Long.class)));
        return new Outgoing(
                Topics.LAKE.name(),
                null,
                Keys.of(covered.tenantId()),
                Json.mapper().writeValueAsBytes(covered),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        covered.tenantId() + "@" + covered.revision(),
                        CloudHeaders.TYPE,
                        LakeCovered.TYPE,
                        CloudHeaders.SOURCE,
                        "/snapshot",
                        CloudHeaders.TENANT,
                        covered.tenantId(),
                        CloudHeaders.TIME,
                        covered.coveredUntil().toString(),
                        CloudHeaders.REVISION,
                        Long.toString(covered.revision())));
    }
}
