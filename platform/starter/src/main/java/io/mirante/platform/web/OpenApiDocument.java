package io.mirante.platform.web;

import io.mirante.contracts.Json;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.info.Contact;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.info.License;
import io.swagger.v3.oas.models.media.ArraySchema;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.IntegerSchema;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.ObjectSchema;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import io.swagger.v3.oas.models.servers.Server;
import io.swagger.v3.oas.models.tags.Tag;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springdoc.core.customizers.OperationCustomizer;
import org.springdoc.core.utils.SpringDocUtils;
import org.springframework.core.io.ClassPathResource;
import org.springframework.http.HttpStatus;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.method.HandlerMethod;
import tools.jackson.databind.JsonNode;

/**
 * What every route's description holds without its controller saying so: names as they are on the wire, the scope, paging,
 * the problems it may answer with, and examples from {@code openapi-examples.json} of the service ({@code {"POST /path":
 * {"request": …, "response": …}}}) and, for what every service serves, {@code mirante-openapi-examples.json} of the starter.
 */
final class OpenApiDocument implements OperationCustomizer, OpenApiCustomizer {

    private static final List<String> EXAMPLES =
            List.of("mirante-openapi-examples.json", "openapi-examples.json");
    private static final String PROBLEM = "#/components/schemas/Problem";
    private static final Pattern SCOPE = Pattern.compile("SCOPE_([a-z.]+)");
    private static final Pattern SUCCESS = Pattern.compile("2\\d\\d|default");

    static {
        SpringDocUtils.getConfig().addRequestWrapperToIgnore(Caller.class, Paging.class);
    }

    private final Map<String, JsonNode> examples;

    OpenApiDocument() {
        this.examples = read();
    }

    /** The frame of a service's document. */
    static OpenAPI frame(String service) {
        return new OpenAPI()
                .info(
                        new Info()
                                .title(service)
                                .version("v1")
                                .description(
                                        "Routes of Mirante's "
                                                + service
                                                + ", as clients reach them through the gateway.")
                                .contact(new Contact().name("Mirante"))
                                .license(new License().name("Apache-2.0").identifier("Apache-2.0")))
                .servers(List.of(new Server().url("/").description("the gateway")))
                .components(
                        new Components()
                                .addSecuritySchemes(
                                        "key",
                                        new SecurityScheme()
                                                .type(SecurityScheme.Type.APIKEY)
                                                .in(SecurityScheme.In.HEADER)
                                                .name("x-api-key")
                                                .description(
                                                        "Also as Authorization: Bearer, or as the user name of Basic"
                                                                + " with an empty password.")))
                .addSecurityItem(new SecurityRequirement().addList("key"));
    }

    @Override
    public Operation customize(Operation operation, HandlerMethod method) {
        if (Arrays.stream(method.getMethodParameters())
                .anyMatch(parameter -> parameter.getParameterType() == Paging.class)) {
            operation.addParametersItem(
                    new Parameter()
                            .in("query")
                            .name("limit")
                            .description("items in the answer")
                            .schema(
                                    new IntegerSchema()
                                            .minimum(BigDecimal.ONE)
                                            .maximum(BigDecimal.valueOf(500))
                                            ._default(50)));
            operation.addParametersItem(
                    new Parameter()
                            .in("query")
                            .name("cursor")
                            .description("next_cursor of the page before")
                            .schema(new StringSchema()));
        }
        if (operation.getSummary() == null) {
            operation.setSummary(words(method.getMethod().getName()));
        }
        var scopes = scopes(method);
        var before = operation.getDescription();
        var text = before == null ? operation.getSummary() + "." : before;
        operation.setDescription(
                scopes.isEmpty() ? text : text + " Scope: " + String.join(" or ", scopes) + ".");
        if (!scopes.isEmpty()) {
            operation.addExtension("x-scopes", List.copyOf(scopes));
        }
        return operation;
    }

    private static TreeSet<String> scopes(HandlerMethod method) {
        var found = new TreeSet<String>();
        var rule = method.getMethodAnnotation(PreAuthorize.class);
        if (rule != null) {
            SCOPE.matcher(rule.value()).results().forEach(match -> found.add(match.group(1)));
            found.remove("internal");
        }
        return found;
    }

    /** {@code showUser} as "Show user". */
    private static String words(String name) {
        var text = name.replaceAll("([a-z0-9])([A-Z])", "$1 $2").toLowerCase(Locale.ROOT);
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }

    @Override
    public void customise(OpenAPI api) {
        addProblems(api.getComponents());
        var paths = api.getPaths();
        if (paths == null) {
            return;
        }
        var tags = new TreeSet<String>();
        paths.forEach((path, item) ->
                item.readOperationsMap()
                        .forEach((method, operation) -> {
                            addResponses(path, method, operation);
                            addExamples(path, method, operation);
                            if (operation.getTags() != null) {
                                operation.setTags(
                                        operation.getTags().stream()
                                                .map(OpenApiDocument::tag)
                                                .toList());
                                tags.addAll(operation.getTags());
                            }
                        }));
        api.setTags(tags.stream().map(OpenApiDocument::described).toList());
    }

    /** {@code funnel-controller} is a class's name; what is meant are funnels. */
    private static String tag(String name) {
        return name.replaceAll("-controller$", "");
    }

    private static Tag described(String name) {
        return new Tag().name(name).description("Routes of " + name.replace('-', ' ') + ".");
    }

    private static void addProblems(Components components) {
        components.addSchemas("Problem", problem());
        for (var kind : Kind.values()) {
            components.addResponses(kind.name, kind.response());
        }
    }

    /** RFC 9457 with the mesh's own fields. */
    private static Schema<?> problem() {
        var error = new ObjectSchema();
        error.addProperty("pointer", new StringSchema().description("JSON pointer to the field"));
        error.addProperty("code", new StringSchema());
        error.addProperty("message", new StringSchema());
        var problem = new ObjectSchema();
        problem.description("RFC 9457 problem details");
        problem.addProperty("type", new StringSchema().description("stable URI of the kind"));
        problem.addProperty("title", new StringSchema());
        problem.addProperty("status", new IntegerSchema());
        problem.addProperty("detail", new StringSchema().description("what is wrong here"));
        problem.addProperty("instance", new StringSchema().description("the request's path"));
        problem.addProperty("errors", new ArraySchema().items(error));
        problem.addProperty("request_id", new StringSchema().description("as in X-Request-Id"));
        problem.addProperty(
                "service", new StringSchema().description("the service that is down or slow"));
        problem.required(List.of("type", "title", "status", "detail", "instance", "request_id"));
        return problem;
    }

    private enum Kind {
        MALFORMED(
                "Malformed",
                HttpStatus.BAD_REQUEST,
                "malformed-request",
                "Malformed: errors names each field.",
                "the request is malformed"),
        UNAUTHORIZED(
                "Unauthorized",
                HttpStatus.UNAUTHORIZED,
                "unauthorized",
                "No valid key.",
                "no valid key; send it as x-api-key, as a Bearer token or as the user of Basic"),
        FORBIDDEN(
                "Forbidden",
                HttpStatus.FORBIDDEN,
                "missing-scope",
                "The key lacks the scope.",
                "the key lacks the scope for this call"),
        NOT_FOUND(
                "NotFound",
                HttpStatus.NOT_FOUND,
                "not-found",
                "Not there, or another tenant's.",
                "there is no such thing"),
        TOO_LARGE(
                "TooLarge",
                HttpStatus.CONTENT_TOO_LARGE,
                "too-large",
                "The body is too large.",
                "the body is larger than 8388608 bytes; send it in parts"),
        WRONG_TYPE(
                "UnsupportedMediaType",
                HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body is of a type this route does not read.",
                "Content-Type 'text/plain' is not supported"),
        IMPOSSIBLE(
                "Impossible",
                HttpStatus.UNPROCESSABLE_CONTENT,
                "impossible",
                "Well-formed, but impossible; detail says why.",
                "the time range ends before it begins"),
        TOO_MANY(
                "TooManyRequests",
                HttpStatus.TOO_MANY_REQUESTS,
                "rate-limited",
                "The key's limit is used up; go on after Retry-After seconds.",
                "more than 1000 requests in a minute; go on after Retry-After seconds"),
        UNAVAILABLE(
                "Unavailable",
                HttpStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                "Something is down; service names it. Try again after Retry-After seconds.",
                "the service does not answer at the moment; try again");

        private final String name;
        private final HttpStatus status;
        private final String slug;
        private final String description;
        private final String detail;

        Kind(String name, HttpStatus status, String slug, String description, String detail) {
            this.name = name;
            this.status = status;
            this.slug = slug;
            this.description = description;
            this.detail = detail;
        }

        String code() {
            return Integer.toString(status.value());
        }

        ApiResponse reference() {
            return new ApiResponse().$ref("#/components/responses/" + name);
        }

        ApiResponse response() {
            var example =
                    new LinkedHashMap<>(
                            ProblemHandler.body(
                                    status, slug, detail, "/api/v1/…", "0d6b41f2-5c6e-4b35-8a3f"));
            var response =
                    new ApiResponse()
                            .description(description)
                            .content(
                                    new Content()
                                            .addMediaType(
                                                    "application/problem+json",
                                                    new MediaType()
                                                            .schema(new Schema<>().$ref(PROBLEM))
                                                            .example(example)));
            if (this == TOO_MANY || this == UNAVAILABLE) {
                response.addHeaderObject(
                        "Retry-After",
                        new Header().description("seconds to wait").schema(new IntegerSchema()));
            }
            return response;
        }
    }

    private static void addResponses(String path, PathItem.HttpMethod method, Operation operation) {
        var responses = operation.getResponses();
        if (responses == null) {
            responses = new ApiResponses();
            operation.setResponses(responses);
        }
        boolean body = operation.getRequestBody() != null;
        for (var kind : Kind.values()) {
            boolean wanted =
                    switch (kind) {
                        case TOO_LARGE, WRONG_TYPE -> body;
                        case IMPOSSIBLE -> body || method == PathItem.HttpMethod.POST;
                        case NOT_FOUND -> path.contains("{");
                        default -> true;
                    };
            if (wanted && !responses.containsKey(kind.code())) {
                responses.addApiResponse(kind.code(), kind.reference());
            }
        }
        responses.forEach((code, response) -> {
            if (response.getDescription() != null && response.getDescription().isBlank()) {
                response.setDescription("Done.");
            }
        });
    }

    private void addExamples(String path, PathItem.HttpMethod method, Operation operation) {
        var example = examples.get(method + " " + path);
        if (example == null) {
            return;
        }
        var request = example.get("request");
        if (request != null && operation.getRequestBody() != null) {
            set(operation.getRequestBody().getContent(), request);
        }
        var response = example.get("response");
        if (response != null) {
            operation
                    .getResponses()
                    .forEach((code, answer) -> {
                        if (SUCCESS.matcher(code).matches()) {
                            set(answer.getContent(), response);
                        }
                    });
        }
    }

    private static void set(@Nullable Content content, JsonNode example) {
        if (content == null) {
            return;
        }
        content.forEach((type, media) -> {
            boolean file =
                    media.getSchema() != null && "binary".equals(media.getSchema().getFormat());
            if (type.contains("json") && !file && media.getExample() == null) {
                media.setExamples(
                        Map.of(
                                "example",
                                new Example()
                                        .value(Json.mapper().convertValue(example, Object.class))));
            }
        });
    }

    private static Map<String, JsonNode> read() {
        return EXAMPLES.stream()
                .flatMap(name -> read(name).entrySet().stream())
                .collect(
                        Collectors.toUnmodifiableMap(
                                Map.Entry::getKey, Map.Entry::getValue, (ours, its) -> its));
    }

    private static Map<String, JsonNode> read(String name) {
        var resource = new ClassPathResource(name);
        if (!resource.exists()) {
            return Map.of();
        }
        try (InputStream in = resource.getInputStream()) {
            return Json.mapper().readTree(in).properties().stream()
                    .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
        } catch (IOException e) {
            throw new UncheckedIOException(name + " cannot be read", e);
        }
    }
}
