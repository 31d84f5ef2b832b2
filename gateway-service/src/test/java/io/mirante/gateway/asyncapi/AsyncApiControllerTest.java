package io.mirante.gateway.asyncapi;

import org.junit.jupiter.api.Test;
import org.springframework.test.web.reactive.server.WebTestClient;

class AsyncApiControllerTest {

    @Test
    void showsTheTopicAndItsMessages() {
        WebTestClient.bindToController(new AsyncApiController())
                .configureClient()
                .codecs(c -> c.defaultCodecs().maxInMemorySize(4 * 1024 * 1024))
                .build()
                .get()
                .uri("/docs/asyncapi")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .contentType("application/json")
                .expectBody()
                .jsonPath("$.asyncapi")
                .isEqualTo("3.0.0")
                .jsonPath("$.channels.ingest.address")
                .isEqualTo("mirante.ingest.{tenant}")
                .jsonPath("$.components.messages.purchase.payload.$ref")
                .isEqualTo("#/components/schemas/purchase");
    }
}
