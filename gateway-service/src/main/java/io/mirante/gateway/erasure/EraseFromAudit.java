package io.mirante.gateway.erasure;

import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.gateway.audit.AuditLog;
import io.mirante.platform.erasure.ErasePerson;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Takes the person's id out of the paths that the audit log holds; who called what, and when, stays. */
@Component
final class EraseFromAudit implements ErasePerson {

    @Override
    public List<String> userColumns() {
        return List.of();
    }

    @Override
    public Mono<Erased> erase(Target person, DatabaseClient db) {
        if (person.userId().isEmpty()) {
            return Mono.just(Erased.NOTHING);
        }
        var encoded = URLEncoder.encode(person.userId(), StandardCharsets.UTF_8);
        return db.sql(
                        """
                        UPDATE audit_entry SET target = array_to_string(array_replace(array_replace(array_replace(
                            string_to_array(target, '/'), $2::text, $5::text), $3::text, $5::text), $4::text, $5::text), '/')
                        WHERE tenant_id = $1 AND string_to_array(target, '/') && ARRAY[$2, $3, $4]::text[]\
                        """)
                .bind(0, person.tenantId())
                .bind(1, person.userId())
                .bind(2, encoded)
                .bind(3, encoded.replace("+", "%20"))
                .bind(4, AuditLog.ERASED)
                .fetch()
                .rowsUpdated()
                .map(rows ->
                        new Erased(
                                List.of(new Removal("audit_entry", Removal.BLANKED, rows)),
                                List.of(),
                                List.of()));
    }
}
