package io.mirante.gateway.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.gateway.AtTheDoor;
import io.mirante.gateway.routing.Service;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.http.MediaType;
import tools.jackson.databind.JsonNode;

class DocsIT extends AtTheDoor {

    @Test
    void swaggerUiComesWithAllItsFilesFromTheGatewayItself() {
        for (var path : new String[] {"/docs", "/docs/"}) {
            var page = text(path);
            assertThat(page).doesNotContain("http://", "https://");
            var files =
                    Pattern.compile("(?:src|href)=\"([^\"]+)\"")
                            .matcher(page)
                            .results()
                            .map(match -> match.group(1))
                            .toList();
            assertThat(files).hasSize(5);
            files.forEach(
                    file -> mesh.anonymous().get().uri(file).exchange().expectStatus().isOk());
        }
        assertThat(text("/docs/ui/swagger-ui-bundle.js")).contains("SwaggerUIBundle");
        mesh.anonymous()
                .get()
                .uri("/docs/ui/..%2Fpackage.json")
                .exchange()
                .expectStatus()
                .is4xxClientError();
        mesh.anonymous().get().uri("/docs/ui/other.js").exchange().expectStatus().isNotFound();
    }

    @Test
    void everyServiceIsAGroup() {
        var groups = text("/docs/ui/groups.js");
        for (var service : Service.values()) {
            assertThat(groups).contains("'" + service.id() + "'");
        }
    }

    @Test
    void aServicesDocumentHoldsWhatIsRoutedToIt() {
        var paths = document("etl").path("paths");
        assertThat(paths.propertyNames())
                .containsExactlyInAnyOrder("/api/v1/features/catalog", "/api/v1/jobs/{id}");
        mesh.anonymous()
                .get()
                .uri("/docs/openapi/nobody")
                .exchange()
                .expectStatus()
                .isNotFound()
                .expectHeader()
                .contentType(MediaType.APPLICATION_PROBLEM_JSON);
    }

    @Test
    void theGatewaysOwnRoutesAreThereToo() {
        var document = document("gateway");
        assertThat(document.path("paths").propertyNames())
                .contains("/health", "/health/live", "/health/ready", "/metrics");
        assertThat(document.at("/components/schemas/Problem").isMissingNode()).isFalse();
        assertThat(
                        document.at("/components/responses/TooManyRequests/headers/Retry-After")
                                .isMissingNode())
                .isFalse();
        assertThat(document.at("/paths/~1health/get/responses/503/$ref").stringValue())
                .isEqualTo("#/components/responses/Unavailable");
    }

    @Test
    void aServiceThatIsDownIsNamed() {
        var alert = SERVICES.get("alert");
        alert.stop();
        try {
            mesh.anonymous()
                    .get()
                    .uri("/docs/openapi/alert")
                    .exchange()
                    .expectStatus()
                    .isEqualTo(503)
                    .expectBody()
                    .jsonPath("$.service")
                    .isEqualTo("alert-service");
        } finally {
            alert.startAgain();
        }
    }

    private JsonNode document(String service) {
        return mesh.anonymous()
                .get()
                .uri("/docs/openapi/" + service)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(JsonNode.class)
                .returnResult()
                .getResponseBody();
    }

    private String text(String path) {
        return mesh.anonymous()
                .get()
                .uri(path)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();
    }
}
