package io.mirante.etl.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.etl.RawRecords;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockedIdsTest {

    private final BlockedIds blocked = new BlockedIds(List.of("Test-User "));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "NULL",
                " Null\t",
                "'null'",
                "\"undefined\"",
                "none",
                "nil",
                "NaN",
                "anonymous",
                "Guest",
                "unknown",
                "0",
                "000",
                "-1",
                "00000000-0000-0000-0000-000000000000",
                "[object Object]",
                "true",
                "distinct_id",
                "test-user",
                "TEST-USER"
            })
    void whatManySendIsNobody(String id) {
        assertThat(blocked.contains(id)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1",
                "10",
                "ana",
                "nullarbor",
                "anonymous-17",
                "guest@example.com",
                "00000000-0000-0000-0000-000000000001",
                "O'Neill"
            })
    void whatOneSendsIsSomebody(String id) {
        assertThat(blocked.contains(id)).isFalse();
    }

    @Test
    void anEventCountsWithoutTheIdsOfNobody() {
        var at = Instant.parse("2026-11-20T10:00:00Z");
        var given = RawRecords.identify("null", "cookie", at);
        var counted = blocked.without(given);
        assertThat(counted.userId()).isNull();
        assertThat(counted.anonymousId()).isEqualTo("cookie");
        assertThat(counted.eventId()).isEqualTo(given.eventId());
        assertThat(blocked.without(counted)).isSameAs(counted);
    }
}
