package io.mirante.etl.log;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.PersonMerge;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Publication;
import io.r2dbc.spi.Readable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Sends the ledger of merged persons to {@code mirante.identities} as it changes. By revision, and not with the poll that
 * merged: an undoing must never be overtaken by what it undid.
 */
@Configuration(proxyBeanMethods = false)
final class MergesPublication {

    @Bean
    Publication publishedMerges() {
        return new Publication(
                "person_merge",
                List.of("tenant_id", "merge_id"),
                """
                SELECT tenant_id, merge_id, state, reason, rule, kind, id, person_no, user_id, user_no, event_id,
                    occurred_at, recorded_at, undone_at, undone_by, revision
                FROM person_merge WHERE revision > published_revision
                ORDER BY tenant_id, merge_id LIMIT 1000\
                """,
                MergesPublication::message);
    }

    private static Outgoing message(Readable row) {
        var merge = PersonMerges.row(row);
        return new Outgoing(
                Topics.IDENTITIES.name(),
                null,
                Keys.of(merge.tenantId(), "merge", merge.mergeId()),
                Json.mapper().writeValueAsBytes(merge),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        "merge:" + merge.mergeId() + "@" + merge.revision(),
                        CloudHeaders.TYPE,
                        PersonMerge.TYPE,
                        CloudHeaders.SOURCE,
                        "/etl",
                        CloudHeaders.SUBJECT,
                        merge.userId(),
                        CloudHeaders.TIME,
                        Objects.requireNonNullElse(merge.undoneAt(), merge.recordedAt()).toString(),
                        CloudHeaders.TENANT,
                        merge.tenantId(),
                        CloudHeaders.REVISION,
                        Long.toString(merge.revision())));
    }
}
