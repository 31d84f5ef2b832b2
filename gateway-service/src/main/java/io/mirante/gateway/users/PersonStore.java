package io.mirante.gateway.users;

import io.mirante.gateway.Rows;
import io.mirante.gateway.keys.People.Claimed;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** The store of people. Thread-safe. */
@Component
@CrossTenant("a person who signs in is looked up before a tenant is known")
class PersonStore {

    private static final String COLUMNS =
            "user_id, tenant_id, email, subject, name, roles, org_units, created_at, created_by,"
                    + " last_seen_at";

    private final StreamDatabase all;

    PersonStore(StreamDatabase all) {
        this.all = all;
    }

    /**
     * Who has signed in: by the issuer's subject; the first time by the verified e-mail, which binds the subject, so that
     * somebody who gets the address later is not let in.
     */
    Mono<Person> signedIn(Claimed claimed) {
        return all.inTransaction(db ->
                db.sql("SELECT " + COLUMNS + " FROM person WHERE subject = $1")
                        .bind(0, claimed.subject())
                        .map(PersonStore::read)
                        .one()
                        .switchIfEmpty(Mono.defer(() -> bind(db, claimed))));
    }

    private static Mono<Person> bind(DatabaseClient db, Claimed claimed) {
        return claimed.email().isEmpty()
                ? Mono.empty()
                : db.sql(
                                "UPDATE person SET subject = $1 WHERE email = $2 AND subject IS NULL"
                                        + " RETURNING "
                                        + COLUMNS)
                        .bind(0, claimed.subject())
                        .bind(1, claimed.email())
                        .map(PersonStore::read)
                        .one();
    }

    /** The tenant of a person; empty when there is none. */
    Mono<String> tenantOf(String id) {
        return all.client()
                .sql("SELECT tenant_id FROM person WHERE user_id = $1")
                .bind(0, id)
                .map(row -> Rows.text(row, "tenant_id"))
                .one();
    }

    /** By id, after one. */
    static Mono<List<Person>> list(DatabaseClient db, String tenant, String after, int limit) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM person WHERE tenant_id = $1 AND user_id COLLATE \"C\" > $2"
                                + " ORDER BY user_id COLLATE \"C\" LIMIT $3")
                .bind(0, tenant)
                .bind(1, after)
                .bind(2, limit)
                .map(PersonStore::read)
                .all()
                .collectList();
    }

    /** Lets somebody in; empty when the e-mail or the subject is let in already, here or elsewhere. */
    static Mono<Person> add(DatabaseClient db, String tenant, PersonForm form, String createdBy) {
        var sql =
                db.sql(
                                "INSERT INTO person (tenant_id, user_id, email, name, roles, org_units,"
                                        + " created_by, subject) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                                        + " ON CONFLICT DO NOTHING RETURNING "
                                        + COLUMNS)
                        .bind(0, tenant)
                        .bind(1, "usr_" + UUID.randomUUID())
                        .bind(2, form.email())
                        .bind(3, form.name())
                        .bind(4, form.roles().stream().map(Role::wireName).toArray(String[]::new))
                        .bind(5, form.limitedTo().toArray(String[]::new))
                        .bind(6, createdBy);
        var subject = form.subject();
        return (subject == null ? sql.bindNull(7, String.class) : sql.bind(7, subject))
                .map(PersonStore::read)
                .one();
    }

    /** One, kept from others until the transaction ends; empty when there is none. */
    static Mono<Person> lock(DatabaseClient db, String tenant, String id) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM person WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE")
                .bind(0, tenant)
                .bind(1, id)
                .map(PersonStore::read)
                .one();
    }

    static Mono<Void> remove(DatabaseClient db, String tenant, String id) {
        return db.sql("DELETE FROM person WHERE tenant_id = $1 AND user_id = $2")
                .bind(0, tenant)
                .bind(1, id)
                .then();
    }

    private static Person read(Readable row) {
        var orgUnits = Rows.texts(row, "org_units");
        return new Person(
                Rows.text(row, "user_id"),
                Rows.text(row, "tenant_id"),
                Rows.text(row, "email"),
                row.get("subject", String.class),
                Rows.text(row, "name"),
                Rows.texts(row, "roles").stream().map(Role::of).toList(),
                orgUnits.isEmpty() ? null : orgUnits,
                Rows.value(row, "created_at", Instant.class),
                Rows.text(row, "created_by"),
                row.get("last_seen_at", Instant.class));
    }
}
