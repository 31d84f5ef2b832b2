package io.mirante.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.AuditEntry;
import io.mirante.platform.web.Scopes;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

@MeshTest
@Import(AuditIT.Things.class)
class AuditIT {

    @Autowired Mesh mesh;

    @TestConfiguration(proxyBeanMethods = false)
    static class Things {
        @Bean
        ThingController thingController() {
            return new ThingController();
        }
    }

    @RestController
    static class ThingController {
        @GetMapping("/api/v1/things/{id}")
        @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
        public Mono<String> thing(@PathVariable String id) {
            return Mono.just(id);
        }

        @PostMapping("/api/v1/things/question")
        @PreAuthorize(Scopes.VIEW)
        public Mono<String> question() {
            return Mono.just("answer");
        }

        @PostMapping("/api/v1/things")
        @PreAuthorize(Scopes.MANAGE)
        public Mono<String> change() {
            return Mono.error(new IllegalStateException("a bug"));
        }

        @PostMapping("/api/v1/things/in")
        @PreAuthorize(Scopes.INGEST)
        public Mono<String> in() {
            return Mono.just("in");
        }
    }

    @Test
    void everyAuthenticatedCallIsToldToTheAuditLogButIngestionAndServicesAmongThemselves() {
        var tenant = mesh.newTenant();
        var viewer = mesh.client(tenant, "analytics.view", "ingest");
        viewer.post().uri("/api/v1/things/in").exchange().expectStatus().isOk();
        mesh.client(tenant, "internal")
                .get()
                .uri("/api/v1/things/1")
                .exchange()
                .expectStatus()
                .isOk();
        mesh.anonymous().get().uri("/api/v1/things/1").exchange().expectStatus().isUnauthorized();
        viewer.get().uri("/api/v1/nothing").exchange().expectStatus().isNotFound();

        viewer.get()
                .uri("/api/v1/things/7?secret=in-the-query")
                .header("X-Request-Id", "req-7")
                .exchange()
                .expectStatus()
                .isOk();
        viewer.post().uri("/api/v1/things/question").exchange().expectStatus().isOk();
        viewer.post().uri("/api/v1/things").exchange().expectStatus().isForbidden();
        mesh.client(tenant, "analytics.manage")
                .post()
                .uri("/api/v1/things")
                .exchange()
                .expectStatus()
                .is5xxServerError();

        await().atMost(Duration.ofMinutes(2)).until(() -> entries(tenant).size() >= 4);
        assertThat(entries(tenant))
                .extracting(
                        AuditEntry::kind,
                        AuditEntry::action,
                        AuditEntry::target,
                        AuditEntry::status,
                        AuditEntry::subject,
                        AuditEntry::service)
                .containsExactly(
                        tuple(
                                "query",
                                "GET /api/v1/things/{id}",
                                "/api/v1/things/7",
                                200,
                                "test",
                                "alert"),
                        tuple(
                                "query",
                                "POST /api/v1/things/question",
                                "/api/v1/things/question",
                                200,
                                "test",
                                "alert"),
                        tuple(
                                "change",
                                "POST /api/v1/things",
                                "/api/v1/things",
                                403,
                                "test",
                                "alert"),
                        tuple(
                                "change",
                                "POST /api/v1/things",
                                "/api/v1/things",
                                500,
                                "test",
                                "alert"));
        assertThat(entries(tenant).getFirst().requestId()).isEqualTo("req-7");
        assertThat(mesh.read(Topics.AUDIT.name()))
                .noneMatch(r ->
                        new String(r.value(), java.nio.charset.StandardCharsets.UTF_8)
                                .contains("in-the-query"));
    }

    private List<AuditEntry> entries(String tenant) {
        return mesh.read(Topics.AUDIT.name()).stream()
                .map(r -> Json.mapper().readValue(r.value(), AuditEntry.class))
                .filter(e -> e.tenantId().equals(tenant))
                .toList();
    }
}
