package io.mirante.ingestion.imports;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CsvLinesTest {

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "'=1+1, =1+1",
                "'@ana, @ana",
                "'-5, -5",
                "'+5, +5",
                "'tis, 'tis",
                "', '",
                "'', ''"
            })
    void theApostropheOfAnExportIsTakenOff(String field, String original) {
        var lines = new CsvLines(CsvForm.DEFAULT);
        lines.header(bytes("id,n"));
        assertThat(lines.record(bytes(field + ",1")).path("id").stringValue()).isEqualTo(original);
    }

    private static byte[] bytes(String line) {
        return line.getBytes(StandardCharsets.UTF_8);
    }
}
