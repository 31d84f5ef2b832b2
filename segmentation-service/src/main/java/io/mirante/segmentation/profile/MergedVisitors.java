package io.mirante.segmentation.profile;

import io.mirante.contracts.etl.PersonMerge;
import io.mirante.contracts.etl.PersonRecord;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Identities;
import io.mirante.platform.messaging.Received;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Which visitor goes by which user, from etl's ledger of merges. Of the rows about a visitor that with the highest revision
 * counts, in whatever order they come; a refusal counts only while nothing else is known. Thread-safe.
 */
final class MergedVisitors {

    private static final String ANONYMOUS = "anonymous";

    private MergedVisitors() {}

    @Configuration(proxyBeanMethods = false)
    static class Binding {
        @Bean
        Consumer<Message<List<byte[]>>> mergeVisitors(BatchRunner runner) {
            return runner.storing("mergeVisitors", Identities.parser(), MergedVisitors::store);
        }
    }

    private record Row(String tenant, String visitor, @Nullable String user, long revision) {

        static Row of(PersonMerge merge) {
            return new Row(
                    merge.tenantId(),
                    merge.id(),
                    merge.state().equals(PersonMerge.MERGED) ? merge.userId() : null,
                    merge.state().equals(PersonMerge.REFUSED) ? 0 : merge.revision());
        }
    }

    private static Mono<Void> store(List<Received<PersonRecord>> fresh, DatabaseClient db) {
        var newest = new TreeMap<String, Row>();
        for (var received : fresh) {
            if (received.value() instanceof PersonMerge merge && merge.kind().equals(ANONYMOUS)) {
                newest.merge(
                        merge.tenantId() + "\n" + merge.id(),
                        Row.of(merge),
                        (a, b) -> b.revision() > a.revision() ? b : a);
            }
        }
        if (newest.isEmpty()) {
            return Mono.empty();
        }
        var rows = List.copyOf(newest.values());
        return db.sql(
                        """
                        INSERT INTO merged_visitor AS m (tenant_id, anonymous_id, user_id, revision)
                        SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[])
                        ON CONFLICT (tenant_id, anonymous_id) DO UPDATE
                        SET user_id = excluded.user_id, revision = excluded.revision
                        WHERE m.revision < excluded.revision\
                        """)
                .bind(0, rows.stream().map(Row::tenant).toArray(String[]::new))
                .bind(1, rows.stream().map(Row::visitor).toArray(String[]::new))
                .bind(2, rows.stream().map(Row::user).toArray(String[]::new))
                .bind(3, rows.stream().map(Row::revision).toArray(Long[]::new))
                .then()
                .then(Profiles.moveRevision(db, rows.stream().map(Row::tenant).toList()));
    }
}
