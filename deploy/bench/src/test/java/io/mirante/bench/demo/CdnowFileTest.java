package io.mirante.bench.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.bench.client.MeshException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class CdnowFileTest {
    private static final String HEADER = " customer_id  date number_of_cds  dollar_value\r\n";

    private static CdnowFile parse(String text) {
        return CdnowFile.parse("cdnow", text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void theHeaderIsNoPurchaseAndRepeatedLinesArePurchasesWithIdsOfTheirOwn() {
        CdnowFile file =
                parse(HEADER + " 00002 19970112  1   12.00\r\n 00002 19970112  1   12.00\r\n");

        assertThat(file.purchases()).hasSize(2);
        assertThat(file.purchases().getFirst().customerId()).isEqualTo("00002");
        assertThat(file.purchases().getFirst().day()).isEqualTo(LocalDate.parse("1997-01-12"));
        assertThat(file.purchases().getFirst().amount()).isEqualTo("12.00");
        assertThat(file.purchases().get(0).eventId())
                .isNotEqualTo(file.purchases().get(1).eventId());
        assertThat(file.customers().get("00002").days()).hasSize(1);
        assertThat(file.customers().get("00002").monetary()).isEqualByComparingTo("24.00");
        assertThat(file.begin()).isEqualTo(Instant.parse("1997-01-12T00:00:00Z"));
        assertThat(file.end()).isEqualTo(Instant.parse("1997-01-13T00:00:00Z"));
    }

    @Test
    void aFileWithoutHeaderAndWithoutLastLineEndIsReadWhole() {
        assertThat(parse(" 1 19970101 1 0.00\n 2 19970102 2 5.10").purchases()).hasSize(2);
    }

    @Test
    void anIdNeverChanges() {
        String line = " 00001 19970101  1   11.77\r";
        String id = CdnowFile.eventId("cdnow", 2, line.getBytes(StandardCharsets.US_ASCII));
        assertThat(id).isEqualTo(GOLDEN);
        assertThat(java.util.UUID.fromString(id).version()).isEqualTo(5);
    }

    private static final String GOLDEN = "f988b139-1c7b-55a2-beb0-627a824ee6b7";

    @Test
    void aLineThatIsNoPurchaseIsNamed() {
        assertThatThrownBy(() -> parse(HEADER + " 00002 19970112  1\r\n"))
                .isInstanceOf(MeshException.class)
                .hasMessageContaining("line 2");
        assertThatThrownBy(() -> parse(HEADER + " 00002 19971399  1  1.00\r\n"))
                .hasMessageContaining("line 2");
    }

    @Test
    @Tag("realdata")
    void theMasterFileHoldsWhatItsPublishersSay() {
        CdnowFile file =
                CdnowFile.read(Path.of(System.getenv("MIRANTE_DATA"), "cdnow", "CDNOW_master.txt"));
        Set<String> ids = new HashSet<>();
        file.purchases().forEach(purchase -> ids.add(purchase.eventId()));

        assertThat(file.purchases()).hasSize(69_659);
        assertThat(ids).hasSize(69_659);
        assertThat(file.customers()).hasSize(23_570);
        assertThat(file.revenue()).isEqualByComparingTo("2500315.63");
        assertThat(file.purchases().stream().mapToInt(CdnowFile.Purchase::quantity).sum())
                .isEqualTo(167_881);
        assertThat(List.of(file.begin(), file.end()))
                .containsExactly(
                        Instant.parse("1997-01-01T00:00:00Z"),
                        Instant.parse("1998-07-01T00:00:00Z"));
    }
}
