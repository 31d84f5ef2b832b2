package io.mirante.bench.endtoend;

import io.mirante.bench.client.MeshClient;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** What the services say they serve, against what the gateway passes on to them. */
@ExtendWith(RunningMesh.class)
class RoutesIT {

    private static final List<String> SERVICES =
            List.of("ingestion", "etl", "segmentation", "churn", "industry40", "snapshot", "alert");

    /** Every endpoint that Spring Boot, Spring Cloud and Resilience4j know, open or not. */
    private static final List<String> ACTUATOR =
            List.of(
                    ("auditevents beans bindings busenv caches channels circuitbreakerevents circuitbreakers conditions"
                                    + " configprops env env/PATH features flyway functions gateway/routes health heapdump"
                                    + " httpexchanges info integrationgraph jolokia logfile loggers loggers/ROOT mappings"
                                    + " metrics pause prometheus quartz refresh restart resume sbom scheduledtasks"
                                    + " serviceregistry sessions shutdown springdoc startup threaddump")
                            .split(" "));

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

    @Test
    void everyRouteHasAnExampleOfWhatItTakesAndOfWhatItAnswersAndTheSchemaOfItsErrors(
            MeshUnderTest mesh) {
        var softly = new SoftAssertions();
        for (var service : ServedRoute.SERVICES) {
            var document = document(mesh, service, false);
            operations(
                    document,
                    (name, operation) -> {
                        var what = service + ": " + name;
                        softly.assertThat(withoutExample(operation.at("/requestBody/content")))
                                .as("bodies of %s", what)
                                .isEmpty();
                        operation
                                .path("responses")
                                .properties()
                                .forEach(response -> {
                                    var content =
                                            resolved(document, response.getValue()).path("content");
                                    if (response.getKey().startsWith("2")) {
                                        softly.assertThat(withoutExample(content))
                                                .as("answer %s of %s", response.getKey(), what)
                                                .isEmpty();
                                    } else if (response.getKey().matches("[45]..")) {
                                        softly.assertThat(
                                                        content.at(
                                                                        "/application~1problem+json/schema/$ref")
                                                                .asString(""))
                                                .as("answer %s of %s", response.getKey(), what)
                                                .isEqualTo("#/components/schemas/Problem");
                                    }
                                });
                    });
        }
        softly.assertAll();
    }

    /** Forms of JSON that have no example; files have none. */
    private static List<String> withoutExample(JsonNode content) {
        return content.properties().stream()
                .filter(form -> form.getKey().contains("json"))
                .filter(form -> !form.getValue().at("/schema/format").asString("").equals("binary"))
                .filter(form ->
                        form.getValue().path("example").isMissingNode()
                                && form.getValue().path("examples").isEmpty())
                .map(Map.Entry::getKey)
                .toList();
    }

    private static JsonNode resolved(JsonNode document, JsonNode node) {
        var reference = node.path("$ref").asString("");
        return reference.isEmpty() ? node : document.at(reference.substring(1));
    }

    private static void operations(JsonNode document, BiConsumer<String, JsonNode> action) {
        document.path("paths")
                .properties()
                .forEach(path ->
                        path.getValue().properties().stream()
                                .filter(operation -> METHODS.contains(operation.getKey()))
                                .forEach(operation ->
                                        action.accept(
                                                operation.getKey().toUpperCase(Locale.ROOT)
                                                        + " "
                                                        + path.getKey(),
                                                operation.getValue())));
    }

    @Test
    void theActuatorTellsHealthInfoAndFiguresOnItsOwnPortAndNothingElseAnywhere(
            MeshUnderTest mesh) {
        var softly = new SoftAssertions();
        for (var service : ServedRoute.SERVICES) {
            var part = mesh.part(service);
            var ports =
                    Map.of(
                            part.path("port").asInt(0),
                            Set.<String>of(),
                            part.path("management_port").asInt(0),
                            Set.of("health", "info", "prometheus"));
            softly.assertThat(ports).as("ports of %s", service).hasSize(2);
            ports.forEach((port, open) -> {
                try (var client =
                        new MeshClient(URI.create("http://127.0.0.1:" + port), "dev-key-123")) {
                    for (var id : ACTUATOR) {
                        for (var method : List.of("GET", "POST")) {
                            var answer =
                                    client.exchange(
                                            method,
                                            "/actuator/" + id,
                                            method.equals("POST") ? new byte[] {'{', '}'} : null,
                                            false);
                            softly.assertThat(answer.ok())
                                    .as("%s /actuator/%s of %s at %d", method, id, service, port)
                                    .isEqualTo(method.equals("GET") && open.contains(id));
                        }
                    }
                }
            });
            softly.assertThat(mesh.process(service).isAlive()).isTrue();
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
        operations(document, (name, operation) -> operations.add(name));
        return operations;
    }
}
