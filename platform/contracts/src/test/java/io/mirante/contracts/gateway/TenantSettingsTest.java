package io.mirante.contracts.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

class TenantSettingsTest {

    @Test
    void theGoldenSampleLoadsAndIsWrittenAsItWas() throws IOException {
        var golden = golden("tenant_settings-v1");
        var settings = Json.mapper().treeToValue(golden, TenantSettings.class);

        assertThat(settings.zone()).isEqualTo(ZoneId.of("America/Sao_Paulo"));
        assertThat(settings.mode()).isEqualTo(TenantSettings.Mode.STRICT);
        assertThat(settings.masking().getLast().appliesTo("ticket.created")).isTrue();
        assertThat(settings.masking().getLast().appliesTo("ticket.closed")).isFalse();
        assertThat(settings.masking().getFirst().appliesTo("ticket.closed")).isTrue();
        assertThat(settings.retention().rawEvents()).isEqualTo(Period.ofDays(90));
        assertThat(Objects.requireNonNull(settings.rfmBoundaries()).monetary())
                .contains(new BigDecimal("250.5"));
        assertThat(comparable(Json.mapper().valueToTree(settings))).isEqualTo(comparable(golden));
    }

    @Test
    void theGoldenAuditEntryLoadsAndIsWrittenAsItWas() throws IOException {
        var golden = golden("audit_entry-v1");
        var entry = Json.mapper().treeToValue(golden, AuditEntry.class);
        assertThat(comparable(Json.mapper().valueToTree(entry))).isEqualTo(comparable(golden));
    }

    @Test
    void whatIsMissingHasItsDocumentedDefault() {
        var settings = TenantSettings.defaults("demo");
        assertThat(settings.name()).isEqualTo("demo");
        assertThat(settings.timezone()).isEqualTo("UTC");
        assertThat(settings.locale()).isEqualTo("en");
        assertThat(settings.currency()).isEqualTo("USD");
        assertThat(settings.mode()).isEqualTo(TenantSettings.Mode.OPEN);
        assertThat(settings.businessHours()).isNull();
        assertThat(settings.limits()).isEqualTo(Limits.DEFAULT);
        assertThat(settings.masking()).isEmpty();
        assertThat(settings.retention().predictions()).isEqualTo(Period.ofMonths(24));
        assertThat(settings.retention().rejected()).isEqualTo(Period.ofDays(14));
        assertThat(settings.retention().modules()).isEmpty();
        assertThat(settings.qualityThresholds()).isEqualTo(QualityThresholds.DEFAULT);
        assertThat(settings.rfmBoundaries()).isNull();
        assertThat(settings.benchmarkOptIn()).isFalse();
        assertThat(settings.revision()).isZero();
    }

    @Test
    void aPatchChangesWhatItNamesAndNullTakesBack() throws IOException {
        var before = Json.mapper().treeToValue(golden("tenant_settings-v1"), TenantSettings.class);
        var after =
                before.patched(
                        tree(
                                """
                                {"id": "other", "currency": null, "limits": {"events_burst": null},
                                 "masking": [], "business_hours": {"holidays": ["2027-01-01"]}, "revision": 99}
                                """),
                        8);
        assertThat(after.id()).isEqualTo("acme");
        assertThat(after.revision()).isEqualTo(8);
        assertThat(after.currency()).isEqualTo("USD");
        assertThat(after.timezone()).isEqualTo(before.timezone());
        assertThat(after.limits()).isEqualTo(new Limits(600, 2000, null));
        assertThat(after.masking()).isEmpty();
        var hours = Objects.requireNonNull(after.businessHours());
        assertThat(hours.days()).isEqualTo(Objects.requireNonNull(before.businessHours()).days());
        assertThat(hours.holidays()).hasSize(1);
    }

    @Test
    void anOpeningHoldsItsStartAndNotItsEnd() throws IOException {
        var settings =
                Json.mapper().treeToValue(golden("tenant_settings-v1"), TenantSettings.class);
        var hours = Objects.requireNonNull(settings.businessHours());
        var zone = settings.zone(); // three hours behind UTC
        assertThat(hours.open(Instant.parse("2026-11-23T12:00:00Z"), zone)).isTrue();
        assertThat(hours.open(Instant.parse("2026-11-23T11:59:59Z"), zone)).isFalse();
        assertThat(hours.open(Instant.parse("2026-11-23T15:00:00Z"), zone)).isFalse();
        assertThat(hours.open(Instant.parse("2026-11-28T02:59:59Z"), zone)).isTrue();
        assertThat(hours.open(Instant.parse("2026-11-28T03:00:00Z"), zone)).isFalse();
        assertThat(hours.open(Instant.parse("2026-12-26T02:00:00Z"), zone)).isFalse();
        assertThat(hours.open(Instant.parse("2026-11-24T12:00:00Z"), zone)).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'timezone': 'Mars/Olympus'} | /timezone",
                "{'timezone': 'GMT+25'} | /timezone",
                "{'locale': 'not a tag'} | /locale",
                "{'currency': 'REAIS'} | /currency",
                "{'name': '  '} | /name",
                "{'limits': {'events_per_second': -1}} | /events_per_second",
                "{'limits': {'events_per_second': 10, 'events_burst': 9}} | /events_burst",
                "{'masking': [{'kind': 'email'}]} | /action",
                "{'masking': [{'action': 'drop'}]} | ''",
                "{'masking': [{'kind': 'ip', 'pointer': '/a', 'action': 'drop'}]} | ''",
                "{'masking': [{'pointer': 'data', 'action': 'drop'}]} | /pointer",
                "{'masking': [{'kind': 'cpf', 'action': 'generalise'}]} | /action",
                "{'masking': [{'kind': 'cpf', 'action': 'drop', 'length': 3}]} | /length",
                "{'masking': [{'event_type': 'Page View', 'kind': 'cpf', 'action': 'drop'}]} | /event_type",
                "{'retention': {'raw_events': 'P0D'}} | /raw_events",
                "{'retention': {'raw_events': 'P11Y'}} | /raw_events",
                "{'retention': {'modules': {'web': 'P0D'}}} | /modules/web",
                "{'retention': {'modules': {'webb': 'P30D'}}} | /modules/webb",
                "{'quality_thresholds': {'completeness': 1.01}} | /completeness",
                "{'quality_thresholds': {'freshness_hours': 0}} | /freshness_hours",
                "{'rfm_boundaries': {'recency_days': [1, 2, 2, 3]}} | /recency_days",
                "{'business_hours': {'days': {'monday': [{'opens': '09:00', 'closes': '09:00'}]}}} | /closes",
            })
    void whatCannotBeIsRefusedWithItsField(String patch, String field) {
        assertThatThrownBy(() ->
                        TenantSettings.defaults("t").patched(tree(patch.replace('\'', '"')), 1))
                .isInstanceOf(JacksonException.class)
                .cause()
                .isInstanceOfSatisfying(
                        InvalidSettingException.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @Test
    void theLimitsOfEachRangeAreAccepted() {
        var settings =
                TenantSettings.defaults("t")
                        .patched(
                                tree(
                                        """
                                        {"limits": {"events_per_second": 10, "events_burst": 10, "requests_per_minute": 0},
                                         "retention": {"raw_events": "P1D", "snapshots": "P10Y"},
                                         "quality_thresholds": {"completeness": 1, "outliers": 0}}
                                        """),
                                1);
        assertThat(settings.limits().requestsPerMinute()).isZero();
        assertThat(settings.retention().snapshots()).isEqualTo(Period.ofYears(10));
    }

    private static String comparable(JsonNode tree) {
        return Json.mapper().writeValueAsString(tree);
    }

    private static JsonNode tree(String json) {
        return Json.mapper().readTree(json);
    }

    private static JsonNode golden(String name) throws IOException {
        try (var file =
                TenantSettingsTest.class.getResourceAsStream("/golden/gateway/" + name + ".json")) {
            return Json.mapper().readTree(Objects.requireNonNull(file, name));
        }
    }
}
