package io.mirante.gateway.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoutesTest {

    /** "Who answers" of docs/api.md: below /api/v1 unless starred. */
    private static final String WHO_ANSWERS =
            """
            gateway | /health*, /health/**, /metrics*, /docs/***, /admin/**, /retention, DELETE /users/{id}
            ingestion | /events, /events/batch, /events/import, /events/rejected/**, /events/{id}/trace, POST /industry40/iot/ingest, /v1/**
            etl | /etl/**, /features/**, /quality/**, /users/{id}/identities/**
            segmentation | /users/{id}, /users/{id}/segment, /users/{id}/similar, /fans/**, /segments/**, /kpis/**, /notifications/**, /vectors/**
            churn | /users/{id}/predictions, /predict/**, /predictions/**, /models/**
            industry40 | /industry40/**
            snapshot | /users/{id}/events, /users/{id}/sessions, /analytics/**, /export, /snapshots/**, /metrics/catalog, /dimensions, /views/**, /dashboards/**, POST|GET /jobs, /live, /ws*, /graphql*, /graphiql*
            alert | /alerts/**
            by prefix | /jobs/{id}/**
            """;

    @Test
    void theTableIsTheDocumentedOne() {
        var expected = new ArrayList<String>();
        WHO_ANSWERS
                .lines()
                .forEach(line -> {
                    var cells = line.split(" \\| ");
                    for (var route : cells[1].split(", ")) {
                        expected.add(cells[0] + " " + full(route));
                    }
                });
        assertThat(Routes.table().stream().map(RoutesTest::text))
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    private static String full(String route) {
        var path = route.substring(route.indexOf(' ') + 1);
        var methods = route.substring(0, route.length() - path.length());
        boolean root =
                path.matches("/(health|metrics|ws|graphql|graphiql)\\*")
                        || path.matches("/(health/\\*|docs/\\*\\*|v1/\\*)\\*");
        return methods + (root ? path.substring(0, path.length() - 1) : "/api/v1" + path);
    }

    private static String text(Routes.Row row) {
        var service = row.service();
        var methods =
                row.methods().isEmpty()
                        ? ""
                        : row.methods().size() == 2
                                ? "POST|GET "
                                : row.methods().iterator().next() + " ";
        return (service == null ? "by prefix" : service.id())
                + " "
                + methods
                + row.pattern().getPatternString();
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /api/v1/events, INGESTION",
        "POST, /api/v1/events/batch, INGESTION",
        "GET, /api/v1/events/rejected, INGESTION",
        "POST, /api/v1/events/rejected/replay, INGESTION",
        "GET, /api/v1/events/evt_1/trace, INGESTION",
        "POST, /v1/track, INGESTION",
        "POST, /api/v1/industry40/iot/ingest, INGESTION",
        "POST, /api/v1/industry40/oee/calculate, INDUSTRY40",
        "GET, /api/v1/industry40/twin/press-1, INDUSTRY40",
        "GET, /api/v1/users/u1, SEGMENTATION",
        "DELETE, /api/v1/users/u1, GATEWAY",
        "GET, /api/v1/users/u1/segment, SEGMENTATION",
        "GET, /api/v1/users/u1/predictions, CHURN",
        "GET, /api/v1/users/u1/events, SNAPSHOT",
        "GET, /api/v1/users/u1/identities, ETL",
        "POST, /api/v1/users/u1/identities/2-1/undo, ETL",
        "GET, /api/v1/fans, SEGMENTATION",
        "GET, /api/v1/segments/champions/users, SEGMENTATION",
        "POST, /api/v1/kpis/cluster, SEGMENTATION",
        "POST, /api/v1/models/churn/train, CHURN",
        "GET, /api/v1/features/u1, ETL",
        "GET, /api/v1/metrics/catalog, SNAPSHOT",
        "POST, /api/v1/jobs, SNAPSHOT",
        "GET, /api/v1/jobs, SNAPSHOT",
        "GET, /api/v1/jobs/etl_0192, ETL",
        "DELETE, /api/v1/jobs/churn_0192, CHURN",
        "GET, /api/v1/jobs/segmentation_0192/files/a.csv, SEGMENTATION",
        "GET, /ws, SNAPSHOT",
        "GET, /api/v1/alerts, ALERT",
        "POST, /api/v1/alerts/rules/1/test, ALERT",
    })
    void aRequestGoesToTheServiceThatOwnsIt(String method, String path, Service service) {
        assertThat(Routes.find(method, path)).map(Routes.Route::service).contains(service);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /",
        "GET, /api/v1",
        "GET, /api/v1/nothing",
        "GET, /api/v1/events/evt_1",
        "DELETE, /api/v1/jobs",
        "GET, /api/v1/jobs/unknown_1",
        "GET, /api/v1/jobs/etl",
        "GET, /fansy",
        "GET, /v2/track",
        "GET, /actuator/health",
    })
    void everythingElseIsNobodys(String method, String path) {
        assertThat(Routes.find(method, path)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /api/v1/admin/dead-letters, etl, ETL",
        "POST, /api/v1/admin/dead-letters/replay, snapshot, SNAPSHOT",
        "GET, /api/v1/admin/dead-letters, gateway, GATEWAY",
        "GET, /api/v1/admin/dead-letters, nobody, GATEWAY",
        "GET, /api/v1/admin/dead-letters, , GATEWAY",
        "GET, /api/v1/admin/audit, etl, GATEWAY",
        "GET, /api/v1/fans, etl, SEGMENTATION",
    })
    void deadLettersAreWithTheServiceThatTheQueryNames(
            String method, String path, String named, Service service) {
        assertThat(Routes.find(method, path, () -> named))
                .map(Routes.Route::service)
                .contains(service);
    }

    @Test
    void uploadsStreamAndLongAnswersHaveNoTimeLimit() {
        for (var path :
                List.of(
                        "/api/v1/events/import",
                        "/api/v1/predict/batch",
                        "/api/v1/models/churn/train")) {
            assertThat(Routes.find("POST", path).orElseThrow())
                    .returns(false, Routes.Route::timed)
                    .returns(false, Routes.Route::bodyLimited);
        }
        for (var path : List.of("/api/v1/export", "/api/v1/live", "/ws", "/graphql")) {
            assertThat(Routes.find("GET", path).orElseThrow())
                    .returns(false, Routes.Route::timed)
                    .returns(true, Routes.Route::bodyLimited);
        }
        assertThat(Routes.find("POST", "/api/v1/predict").orElseThrow())
                .returns(true, Routes.Route::timed)
                .returns(true, Routes.Route::bodyLimited);
    }

    @ParameterizedTest
    @CsvSource({
        "/fans, /api/v1/fans, true",
        "/fans/42/, /api/v1/fans/42, true",
        "/segments/1/users, /api/v1/segments/1/users, true",
        "/kpis, /api/v1/kpis, true",
        "/kpis/clusterizar, /api/v1/kpis/cluster, true",
        "/notifications, /api/v1/notifications, true",
        "/predict, /api/v1/predict, true",
        "/predict/batch, /api/v1/predict/batch, true",
        "/predictions, /predictions, false",
        "/fansy, /fansy, false",
        "/api/v1/kpis/clusterizar, /api/v1/kpis/cluster, false",
        "/api/v1/events///, /api/v1/events, false",
        "/, /, false",
    })
    void pathsAreReadAsTheyAreMeant(String path, String meant, boolean deprecated) {
        assertThat(Paths.of(path)).isEqualTo(new Paths.Meant(meant, deprecated));
    }
}
