package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuotesTest {

    private static final String REPORT =
            """
            {"rows":7,"checks":[{"samples":["%s","row 17: n = 70"],"details":["7"]}],
             "profile":{"7":{"top":[{"value":"17","count":7}]}}}\
            """;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "row 1: user = 7",
                "row 1:  7 ",
                "row 1: key 7, 2026-11-20",
                "row 1: key a, 7",
                "line 3: cannot convert '7' to a date"
            })
    void aReportThatQuotesAValueLosesAllQuotes(String sample) {
        assertThat(Quotes.without(REPORT.formatted(sample), "7"::equals))
                .hasValue(
                        "{\"rows\":7,\"checks\":[{\"samples\":[],\"details\":[\"7\"]}],\"profile\":{\"7\":{\"top\":[]}}}");
    }

    @Test
    void theMostFrequentValuesAreQuotes() {
        assertThat(Quotes.without(REPORT.formatted("row 1: n = 1"), "17"::equals)).isPresent();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"row 7: n = 17", "row 1: user = a7", "row 1: key 77, 7a", "line 7: '17'"})
    void aReportThatOnlyContainsTheTextStays(String sample) {
        assertThat(Quotes.without(REPORT.formatted(sample), "7"::equals)).isEmpty();
    }
}
