package io.mirante.bench.endtoend;

import io.mirante.bench.client.MeshClient;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** What the services say they serve, against what the gateway passes on to them. */
@ExtendWith(RunningMesh.class)
class RoutesIT {

    private static final List<String> SERVICES =
            List.of("ingestion", "etl", "segmentation", "churn", "industry40", "snapshot", "alert");
    private static final Set<String> METHODS = Set.of("get", "put", "post", "delete", "patch");

    @Test
    void everyRouteOfEveryServiceIsReachedThroughTheGatewayAndNoTwoServicesClaimOne(
            MeshUnderTest mesh) {
        var claimed = new TreeSet<String>();
        var softly = new SoftAssertions();
        for (var service : SERVICES) {
            var own = operations(document(mesh, service, true));
            softly.assertThat(operations(document(mesh, service, false)))
                    .as("routes of %s at the gateway", service)
                    .isEqualTo(own);
            own.removeIf(route ->
                    route.contains(" /api/v1/jobs/{id}")
                            || route.contains(" /api/v1/admin/dead-letters"));
            softly.assertThat(own).as("routes of %s", service).isNotEmpty();
            own.forEach(route ->
                    softly.assertThat(claimed.add(route)).as("%s is claimed once", route).isTrue());
        }
        softly.assertAll();
    }

    @Test
    void everyRouteSaysWhatItDoesAndWhatCanGoWrong(MeshUnderTest mesh) {
        var softly = new SoftAssertions();
        for (var service : SERVICES) {
            var document = document(mesh, service, false);
            softly.assertThat(
                            document.at("/components/schemas/Problem/properties/request_id")
                                    .isMissingNode())
                    .isFalse();
            document.path("paths")
                    .properties()
                    .forEach(path ->
                            path.getValue().properties().stream()
                                    .filter(operation -> METHODS.contains(operation.getKey()))
                                    .forEach(operation -> {
                                        var name = operation.getKey() + " " + path.getKey();
                                        softly.assertThat(
                                                        operation
                                                                .getValue()
                                                                .path("summary")
                                                                .asString(""))
                                                .as("summary of %s", name)
                                                .isNotBlank();
                                        softly.assertThat(
                                                        operation
                                                                .getValue()
                                                                .path("responses")
                                                                .propertyNames())
                                                .as("responses of %s", name)
                                                .contains("400", "401", "403", "429", "503");
                                    }));
            // Names as on the wire.
            document.at("/components/schemas")
                    .properties()
                    .forEach(schema ->
                            softly.assertThat(schema.getValue().path("properties").propertyNames())
                                    .as("fields of %s in %s", schema.getKey(), service)
                                    .allMatch(
                                            field -> field.equals(field.toLowerCase(Locale.ROOT))));
        }
        softly.assertAll();
    }

    private static JsonNode document(MeshUnderTest mesh, String service, boolean direct) {
        var base =
                direct
                        ? URI.create("http://127.0.0.1:" + mesh.part(service).path("port").asInt(0))
                        : mesh.url();
        try (var client = new MeshClient(base, "none")) {
            return client.get(direct ? "/v3/api-docs" : "/docs/openapi/" + service)
                    .required("OpenAPI of " + service)
                    .body();
        }
    }

    private static TreeSet<String> operations(JsonNode document) {
        var operations = new TreeSet<String>();
        document.path("paths")
                .properties()
                .forEach(path ->
                        path.getValue().propertyNames().stream()
                                .filter(METHODS::contains)
                                .forEach(method ->
                                        operations.add(
                                                method.toUpperCase(Locale.ROOT)
                                                        + " "
                                                        + path.getKey())));
        return operations;
    }
}
