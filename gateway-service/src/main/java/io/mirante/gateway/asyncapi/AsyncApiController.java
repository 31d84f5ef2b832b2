package io.mirante.gateway.asyncapi;

import io.mirante.contracts.AsyncApi;
import io.mirante.contracts.Json;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** {@code GET /docs/asyncapi}: what a tenant's own producers may write to Kafka, made of the contracts. Needs no key. */
@RestController
class AsyncApiController {

    private final byte[] document = Json.mapper().writeValueAsBytes(AsyncApi.document());

    @GetMapping(path = "/docs/asyncapi", produces = MediaType.APPLICATION_JSON_VALUE)
    @Operation(summary = "AsyncAPI 3.0 document of the topics that outside producers write to")
    @ApiResponse(
            responseCode = "200",
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON_VALUE,
                            schema = @Schema(type = "object")))
    byte[] document() {
        return document;
    }
}
