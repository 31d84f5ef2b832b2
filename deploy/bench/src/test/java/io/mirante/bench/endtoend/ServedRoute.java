package io.mirante.bench.endtoend;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One route that a service's OpenAPI document describes, and how to call it: path and query parameters filled, the body
 * made from the document's example.
 *
 * @param path with its variables in braces
 * @param query names of its query parameters; those of paging left out
 * @param required the ones that must be given
 * @param body an example of what it takes, {@code {}} without one; null when it takes no JSON
 * @param bodyFields names of the fields that its body may have
 */
record ServedRoute(
        String method,
        String path,
        List<String> query,
        List<String> required,
        @Nullable JsonNode body,
        Set<String> bodyFields) {

    static final List<String> SERVICES =
            List.of(
                    "gateway",
                    "ingestion",
                    "etl",
                    "segmentation",
                    "churn",
                    "industry40",
                    "snapshot",
                    "alert");
    private static final Set<String> METHODS = Set.of("get", "put", "post", "delete", "patch");
    private static final Set<String> PAGING = Set.of("limit", "cursor");
    private static final Pattern VARIABLE = Pattern.compile("\\{([^}]+)}");
    private static final JsonMapper JSON = JsonMapper.shared();

    /** Every route of every service, as the gateway describes them; those that several services serve once. */
    static List<ServedRoute> all(MeshClient client) {
        Map<String, ServedRoute> routes = new TreeMap<>();
        for (String service : SERVICES) {
            JsonNode document =
                    client.get("/docs/openapi/" + service).required("OpenAPI of " + service).body();
            document.path("paths")
                    .properties()
                    .forEach(path ->
                            path.getValue().properties().stream()
                                    .filter(operation -> METHODS.contains(operation.getKey()))
                                    .map(operation ->
                                            of(
                                                    document,
                                                    path.getKey(),
                                                    operation.getKey(),
                                                    operation.getValue()))
                                    .forEach(route -> routes.putIfAbsent(route.name(), route)));
        }
        return List.copyOf(routes.values());
    }

    private static ServedRoute of(
            JsonNode document, String path, String method, JsonNode operation) {
        List<String> query = new ArrayList<>();
        List<String> required = new ArrayList<>();
        for (JsonNode parameter : operation.path("parameters")) {
            String name = parameter.path("name").asString("");
            if (parameter.path("in").asString("").equals("query") && !PAGING.contains(name)) {
                query.add(name);
                if (parameter.path("required").asBoolean(false)) {
                    required.add(name);
                }
            }
        }
        JsonNode content = operation.path("requestBody").path("content").path("application/json");
        Set<String> fields =
                Set.copyOf(
                        resolved(document, content.path("schema"))
                                .path("properties")
                                .propertyNames());
        return new ServedRoute(
                method.toUpperCase(Locale.ROOT),
                path,
                query,
                required,
                content.isMissingNode() ? null : example(content),
                fields);
    }

    private static JsonNode example(JsonNode content) {
        JsonNode example = content.path("example");
        if (example.isMissingNode()) {
            for (JsonNode first : content.path("examples")) {
                example = first.path("value");
                break;
            }
        }
        return example.isObject() ? example : JsonNodeFactory.instance.objectNode();
    }

    private static JsonNode resolved(JsonNode document, JsonNode schema) {
        String reference = schema.path("$ref").asString("");
        return reference.isEmpty() ? schema : document.at(reference.substring(1));
    }

    String name() {
        return method + " " + path;
    }

    boolean reads() {
        return method.equals("GET");
    }

    List<String> variables() {
        return VARIABLE.matcher(path).results().map(found -> found.group(1)).toList();
    }

    /** Places beside the path where an id may be given: query parameters and fields of the body. */
    List<String> otherPlacesOfIds() {
        List<String> places = new ArrayList<>();
        query.stream().filter(ServedRoute::holdsIds).forEach(places::add);
        bodyFields.stream().filter(ServedRoute::holdsIds).sorted().forEach(places::add);
        return places;
    }

    private static boolean holdsIds(String name) {
        return name.endsWith("_id") || name.endsWith("_ids") || name.equals("model");
    }

    /** The path with its variables filled: the values that {@code known} holds, or any of {@code ids}. */
    List<String> filled(Collection<String> ids, Collection<String> knownPaths) {
        List<String> names = variables();
        if (names.isEmpty()) {
            return List.of(path);
        }
        if (names.size() == 1) {
            return ids.stream()
                    .map(id ->
                            VARIABLE.matcher(path)
                                    .replaceFirst(Matcher.quoteReplacement(encoded(id))))
                    .toList();
        }
        Pattern shape = Pattern.compile(VARIABLE.matcher(path).replaceAll("[^/]+"));
        return knownPaths.stream().filter(known -> shape.matcher(known).matches()).toList();
    }

    /**
     * Calls it once.
     *
     * @param filledPath one of {@link #filled}
     * @param values of query parameters by name, or by {@link #name()} and name where it is for one route alone; must hold
     *     the required ones
     * @param place of {@link #otherPlacesOfIds}, where {@code id} is put; null for nowhere
     */
    Answer call(
            MeshClient client,
            String filledPath,
            Map<String, String> values,
            @Nullable String place,
            String id) {
        Map<String, String> given = new LinkedHashMap<>();
        for (String name : query) {
            String value = values.getOrDefault(name() + " " + name, values.get(name));
            if (value != null) {
                given.put(name, value);
            } else if (required.contains(name)) {
                throw new AssertionError(
                        "no value for the required parameter %s of %s".formatted(name, name()));
            }
        }
        byte[] sent = null;
        if (body != null) {
            ObjectNode filled = (ObjectNode) body.deepCopy();
            if (place != null && bodyFields.contains(place)) {
                if (place.endsWith("_ids")) {
                    filled.putArray(place).add(id);
                } else {
                    filled.put(place, id);
                }
            }
            sent = JSON.writeValueAsBytes(filled);
        }
        if (place != null && query.contains(place)) {
            given.put(place, id);
        }
        StringBuilder target = new StringBuilder(filledPath);
        given.forEach((name, value) ->
                target.append(target.indexOf("?") < 0 ? '?' : '&')
                        .append(name)
                        .append('=')
                        .append(encoded(value)));
        return client.exchange(method, target.toString(), sent, false);
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
