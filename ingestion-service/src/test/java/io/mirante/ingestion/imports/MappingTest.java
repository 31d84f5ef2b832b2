package io.mirante.ingestion.imports;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.FieldError;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class MappingTest {

    @Test
    void theContractsExampleMakesAPurchase() {
        var mapping =
                """
                {'event_type': 'purchase', 'event_id': null, 'user_id': '$.customer_id',
                 'timestamp': {'column': 'date', 'format': 'yyyyMMdd', 'timezone': 'America/Sao_Paulo'},
                 'data': {'amount': {'column': 'amount', 'type': 'decimal'}, 'currency': '=USD'},
                 'csv': {'delimiter': ';', 'header': true}}
                """;
        assertThat(
                        event(
                                mapping,
                                "{'customer_id': '7', 'date': '19970101', 'amount': '11.770', 'more': 'x'}"))
                .isEqualTo(
                        json(
                                """
                                {'user_id': '7', 'timestamp': '1997-01-01T02:00:00Z',
                                 'event_type': {'type': 'purchase', 'data': {'amount': 11.770, 'currency': 'USD'}}}
                                """));
    }

    @Test
    void withoutAMappingColumnsOfAnEventsNamesAreItsFieldsAndTheRestAreData() {
        assertThat(
                        Mapping.NONE.toEvent(
                                json(
                                        "{'event_id': 'e', 'event_type': 'click', 'user_id': 17, 'schema_version': '1',"
                                                + " 'element': 'buy', 'empty': ''}"),
                                new ArrayList<>()))
                .isEqualTo(
                        json(
                                "{'event_id': 'e', 'user_id': '17', 'schema_version': 1,"
                                        + " 'event_type': {'type': 'click', 'data': {'element': 'buy'}}}"));
    }

    @Test
    void aColumnNamedAsTheTypeWinsOverTheTypesName() {
        assertThat(event("{'event_type': 'kind'}", "{'kind': 'login', 'n': 1}"))
                .isEqualTo(json("{'event_type': {'type': 'login', 'data': {'n': 1}}}"));
        assertThat(event("{'event_type': 'kind'}", "{'n': 1}"))
                .isEqualTo(json("{'event_type': {'type': 'kind', 'data': {'n': 1}}}"));
        assertThat(event("{'event_type': '=kind'}", "{'kind': 'login'}"))
                .isEqualTo(json("{'event_type': {'type': 'kind', 'data': {'kind': 'login'}}}"));
    }

    @Test
    void pathsGoIntoObjects() {
        assertThat(
                        event(
                                "{'event_type': '=x', 'user_id': '$.who.id', 'data': {}}",
                                "{'who': {'id': 5}}"))
                .isEqualTo(json("{'user_id': '5', 'event_type': {'type': 'x', 'data': {}}}"));
    }

    @ParameterizedTest
    @CsvSource({
        "19970101, yyyyMMdd, UTC, 1997-01-01T00:00:00Z",
        "01/02/1997 03:04, dd/MM/yyyy HH:mm, America/Sao_Paulo, 1997-02-01T05:04:00Z",
        "1997-01-01T00:00:00+02:00, yyyy-MM-dd'T'HH:mm:ssXXX, UTC, 1996-12-31T22:00:00Z",
        "852076800, epoch_seconds, UTC, 1997-01-01T00:00:00Z",
        "852076800000, epoch_millis, UTC, 1997-01-01T00:00:00Z",
        "1997-01-01 10:00:00, , UTC, 1997-01-01T10:00:00Z",
        "1997-01-01 10:00:00.5, , America/Sao_Paulo, 1997-01-01T12:00:00.500Z",
        "1997-01-01, , UTC, 1997-01-01T00:00:00Z",
        "1997-01-01T10:00:00Z, , UTC, 1997-01-01T10:00:00Z",
        "1997-01-01 10:00:00+00, , UTC, 1997-01-01T10:00:00+00:00",
    })
    void timesBecomeRfc3339(String text, String format, String zone, String expected) {
        var mapping =
                "{'event_type': '=x', 'timestamp': {'column': 't', 'timezone': '%s'%s}, 'data': {}}"
                        .formatted(
                                zone, format == null ? "" : ", 'format': \"%s\"".formatted(format));
        var event =
                mapping(
                                mapping.replace('\'', '\u0001')
                                        .replace("\u0001T\u0001", "'T'")
                                        .replace('\u0001', '"'))
                        .toEvent(json("{'t': '%s'}".formatted(text)), new ArrayList<>());
        assertThat(event.path("timestamp").asString(null)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"decimal, twelve", "integer, 1.5", "boolean, maybe", "timestamp, yesterday"})
    void aValueOfAnotherTypeIsAnErrorOfItsColumn(String type, String value) {
        var errors = new ArrayList<FieldError>();
        mapping(
                        "{\"event_type\": \"=x\", \"data\": {\"a\": {\"column\": \"c\", \"type\": \"%s\"}}}"
                                .formatted(type))
                .toEvent(json("{'c': '%s'}".formatted(value)), errors);
        assertThat(errors).singleElement().satisfies(e -> assertThat(e.pointer()).isEqualTo("/c"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[] | ``",
                "{'user': 'x'} | /user",
                "{'user_id': 7} | /user_id",
                "{'user_id': {'column': 'x', 'kind': 1}} | /user_id/kind",
                "{'data': []} | /data",
                "{'data': {'a': {'column': 'x', 'type': 'money'}}} | /data/a/type",
                "{'timestamp': {'column': 'x', 'format': 'bbb{'}} | /timestamp/format",
                "{'timestamp': {'column': 'x', 'timezone': 'Mars'}} | /timestamp/timezone",
                "{'csv': {'delimiter': ';;'}} | /csv/delimiter",
                "{'csv': {'encoding': 'UTF-16'}} | /csv/encoding",
                "{'csv': {'header': false}} | /csv/columns",
                "{'csv': {'quote': 'x'}} | /csv/quote",
            })
    void aWrongMappingIsRefusedByName(String mapping, String pointer) {
        var errors = new ArrayList<FieldError>();
        Mapping.of(json(mapping), errors);
        assertThat(errors).extracting(FieldError::pointer).containsExactly(pointer);
    }

    private static JsonNode event(String mapping, String line) {
        var errors = new ArrayList<FieldError>();
        var event = mapping(mapping.replace('\'', '"')).toEvent(json(line), errors);
        assertThat(errors).isEmpty();
        return event;
    }

    private static Mapping mapping(String text) {
        var errors = new ArrayList<FieldError>();
        var mapping = Mapping.of(Json.mapper().readTree(text), errors);
        assertThat(errors).isEmpty();
        return mapping;
    }

    private static JsonNode json(String text) {
        return Json.mapper().readTree(text.replace('\'', '"'));
    }
}
