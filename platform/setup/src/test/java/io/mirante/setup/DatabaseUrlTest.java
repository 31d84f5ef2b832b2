package io.mirante.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DatabaseUrlTest {

    @Test
    void readsEveryPart() {
        var url =
                DatabaseUrl.parse(
                        "postgresql://own%40er:p+a%2Fs%3As@db.example:6543/mirante?sslmode=require");
        assertThat(url.user()).isEqualTo("own@er");
        assertThat(url.password()).isEqualTo("p+a/s:s");
        assertThat(url.jdbc())
                .isEqualTo("jdbc:postgresql://db.example:6543/mirante?sslmode=require");
    }

    @Test
    void takesPort5432WhenThereIsNone() {
        assertThat(DatabaseUrl.parse("postgres://o:p@db/mirante").jdbc())
                .isEqualTo("jdbc:postgresql://db:5432/mirante");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://db/mirante",
                "mysql://o:hidden@db/mirante",
                "postgresql://o:hidden@db",
                "postgresql://o:hidden@db/",
                "postgresql://o:hid den@db/mirante",
                "postgresql://o:hidden%zz@db/mirante",
                "postgresql://o:hidden@db:0/mirante",
                "postgresql://o:hidden@db:65536/mirante",
                "hidden"
            })
    void refusesAnythingElseWithoutRepeatingIt(String text) {
        assertThatThrownBy(() -> DatabaseUrl.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("postgresql://user:password@host:port/database")
                .hasNoCause()
                .message()
                .doesNotContain("hid");
    }

    @Test
    void keepsThePasswordToItself() {
        assertThat(DatabaseUrl.parse("postgresql://o:hidden@db/mirante").toString())
                .isEqualTo("postgresql://o@db:5432/mirante");
    }
}
