package io.mirante.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;

/** Arrays are sent in PostgreSQL's binary format; what comes back is what went in. */
@MeshTest
class ArraysIT {

    private static final String TIME = "timestamptz";

    @Autowired Mesh mesh;
    @Autowired TenantDatabase database;

    @Test
    void textsComeBack() {
        same(
                "text",
                "",
                "a",
                "quote \" and \\ backslash",
                "{1,2}",
                "NULL",
                "two\nlines",
                "São Paulo, 東京, 😀",
                null,
                "x".repeat(100_000));
        same("text", new String[0]);
    }

    @Test
    void numbersComeBack() {
        same("int8", 0L, -1L, Long.MAX_VALUE, Long.MIN_VALUE, null);
        same("int4", 0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, null);
        same("float8", 0.1, -0.0, Double.MAX_VALUE, Double.MIN_VALUE, Double.NaN, null);
        same("float8", Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
        same("int8", new Long[0]);
    }

    @Test
    void timesComeBackInMicroseconds() {
        same(
                TIME,
                Instant.EPOCH,
                Instant.parse("2000-01-01T00:00:00Z"),
                Instant.parse("1999-12-31T23:59:59.999999Z"),
                Instant.parse("9999-12-31T23:59:59.000001Z"),
                Instant.parse("0001-01-01T00:00:00Z"),
                null);
    }

    /** The format is PostgreSQL's affair: what it reads there, it casts. */
    @ParameterizedTest
    @ValueSource(strings = {"varchar", "json"})
    void textsAreCast(String type) {
        assertThat(
                        database.one(
                                        mesh.newTenant(),
                                        db ->
                                                db.sql("SELECT ($1::%s[])[2]::text".formatted(type))
                                                        .bind(0, new String[] {"1", "22"})
                                                        .map(row -> row.get(0, String.class))
                                                        .one())
                                .block())
                .isEqualTo("22");
    }

    @SafeVarargs
    private <T> void same(String type, T... values) {
        var returned =
                database.one(
                                mesh.newTenant(),
                                db ->
                                        db.sql(
                                                        "SELECT $1::%s[] WHERE cardinality($1::%s[]) = %d"
                                                                .formatted(
                                                                        type, type, values.length))
                                                .bind(0, values)
                                                .map(row -> row.get(0, values.getClass()))
                                                .one())
                        .block();
        assertThat((Object[]) returned).isEqualTo(values);
    }
}
