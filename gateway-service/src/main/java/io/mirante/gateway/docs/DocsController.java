package io.mirante.gateway.docs;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.problem.Problem;
import io.mirante.gateway.problem.Problems;
import io.mirante.gateway.routing.Service;
import io.mirante.platform.web.RequestIds;
import io.swagger.v3.oas.annotations.Hidden;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code /docs}: Swagger UI with a group per service, and the documents themselves below {@code /docs/openapi}. Needs no key:
 * it describes, and answers nothing. Swagger UI's files come from its WebJar.
 */
@RestController
@Hidden
class DocsController {

    private static final Logger LOG = LoggerFactory.getLogger(DocsController.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final String WEBJAR = "META-INF/resources/webjars/swagger-ui/";

    private static final List<String> FILES =
            List.of(
                    "swagger-ui.css",
                    "swagger-ui-bundle.js",
                    "swagger-ui-standalone-preset.js",
                    "favicon-32x32.png");

    private final GatewaySettings settings;
    private final Problems problems;
    private final JsonMapper json;
    private final int ownPort;
    private final String webJar;
    private final WebClient client =
            WebClient.builder()
                    .codecs(c -> c.defaultCodecs().maxInMemorySize(8 * 1024 * 1024))
                    .build();
    private final Cache<Service, byte[]> documents =
            Caffeine.newBuilder().expireAfterWrite(Duration.ofMinutes(1)).build();

    DocsController(
            GatewaySettings settings,
            Problems problems,
            JsonMapper json,
            @Value("${server.port}") int configuredPort)
            throws IOException {
        this.settings = settings;
        this.problems = problems;
        this.json = json;
        this.ownPort = configuredPort;
        this.webJar = webJar();
    }

    /** Folder of the one version of Swagger UI on the class path. */
    private static String webJar() throws IOException {
        var found =
                new PathMatchingResourcePatternResolver()
                        .getResources("classpath*:" + WEBJAR + "*/swagger-ui-bundle.js");
        if (found.length != 1) {
            throw new IllegalStateException(
                    "there must be one Swagger UI on the class path, found " + found.length);
        }
        var url = found[0].getURL().toString();
        int version = url.lastIndexOf(WEBJAR) + WEBJAR.length();
        return WEBJAR + url.substring(version, url.indexOf('/', version)) + "/";
    }

    @GetMapping("/docs")
    ResponseEntity<Resource> page() {
        return file(new ClassPathResource("docs/index.html"), MediaType.TEXT_HTML);
    }

    @GetMapping("/docs/ui/{name}")
    Mono<ResponseEntity<Resource>> file(@PathVariable String name, ServerWebExchange exchange) {
        if (name.equals("groups.js")) {
            return Mono.just(
                    file(
                            new ClassPathResource("docs/groups.js"),
                            new MediaType("text", "javascript")));
        }
        if (!FILES.contains(name)) {
            return problems.answer(
                            exchange, HttpStatus.NOT_FOUND, "not-found", "there is no such file")
                    .then(Mono.empty());
        }
        var type =
                name.endsWith(".css")
                        ? new MediaType("text", "css")
                        : name.endsWith(".js")
                                ? new MediaType("text", "javascript")
                                : MediaType.IMAGE_PNG;
        return Mono.just(file(new ClassPathResource(webJar + name), type));
    }

    private static ResponseEntity<Resource> file(Resource resource, MediaType type) {
        return ResponseEntity.ok()
                .contentType(type)
                .cacheControl(CacheControl.maxAge(Duration.ofMinutes(10)))
                .body(resource);
    }

    /** A service's document, by its short name. */
    @GetMapping("/docs/openapi/{name}")
    Mono<Void> openApi(@PathVariable String name, ServerWebExchange exchange) {
        var service = Service.ofId(name);
        if (service.isEmpty()) {
            return problems.answer(
                    exchange,
                    HttpStatus.NOT_FOUND,
                    "not-found",
                    "there are the documents of "
                            + Arrays.stream(Service.values())
                                    .map(Service::id)
                                    .collect(Collectors.joining(", ")));
        }
        var known = documents.getIfPresent(service.get());
        if (known != null) {
            return write(exchange, known);
        }
        return client.get()
                .uri(address(service.get(), exchange.getRequest()) + "/v3/api-docs")
                .retrieve()
                .bodyToMono(byte[].class)
                .timeout(PATIENCE)
                .map(body -> asRouted(service.get(), body))
                .doOnNext(document -> documents.put(service.get(), document))
                .onErrorResume(e -> {
                    LOG.atInfo()
                            .addKeyValue("request_id", RequestIds.of(exchange))
                            .log("{} gives no document: {}", name, e.getMessage());
                    return problems.answer(exchange, Problem.unavailable(service.get().fullName()))
                            .then(Mono.empty());
                })
                .flatMap(document -> write(exchange, document));
    }

    /** The gateway describes itself at its own port, like any service. */
    private String address(Service service, ServerHttpRequest request) {
        if (service != Service.GATEWAY) {
            return Objects.requireNonNull(settings.services().get(service)).url().toString();
        }
        var local = request.getLocalAddress();
        return "http://127.0.0.1:" + (local == null ? ownPort : local.getPort());
    }

    private byte[] asRouted(Service service, byte[] body) {
        try {
            if (json.readTree(body) instanceof ObjectNode document
                    && OpenApiOfService.isDocument(document)) {
                return json.writeValueAsBytes(OpenApiOfService.asRouted(document, service));
            }
        } catch (JacksonException e) {
            throw new IllegalStateException("it is not JSON", e);
        }
        throw new IllegalStateException("it is no OpenAPI document");
    }

    private static Mono<Void> write(ServerWebExchange exchange, byte[] document) {
        var response = exchange.getResponse();
        response.getHeaders().setContentType(MediaType.APPLICATION_JSON);
        return response.writeWith(Mono.just(response.bufferFactory().wrap(document)));
    }
}
