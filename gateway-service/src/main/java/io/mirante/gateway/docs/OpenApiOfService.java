package io.mirante.gateway.docs;

import io.mirante.gateway.routing.Routes;
import io.mirante.gateway.routing.Service;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A service's OpenAPI document as it is at the gateway: only the routes that lead to that service. */
final class OpenApiOfService {

    private static final Set<String> METHODS =
            Set.of("get", "put", "post", "delete", "patch", "head", "options", "trace");

    private OpenApiOfService() {}

    /** Takes out, in place, what the gateway does not route to the service, such as another's jobs. */
    static ObjectNode asRouted(ObjectNode document, Service service) {
        if (document.path("paths") instanceof ObjectNode paths) {
            for (var path : List.copyOf(paths.propertyNames())) {
                if (paths.get(path) instanceof ObjectNode item) {
                    for (var method : List.copyOf(item.propertyNames())) {
                        if (METHODS.contains(method) && !routed(method, path, service)) {
                            item.remove(method);
                        }
                    }
                    if (item.propertyNames().stream().noneMatch(METHODS::contains)) {
                        paths.remove(path);
                    }
                }
            }
        }
        return document;
    }

    /** A variable stands for anything; a job's id names its service, as {@code ?service=} does for dead letters. */
    private static boolean routed(String method, String path, Service service) {
        var sample =
                path.replace("/jobs/{id}", "/jobs/" + service.id() + "_0")
                        .replaceAll("\\{[^}]*}", "x");
        return Routes.find(method.toUpperCase(Locale.ROOT), sample, service::id)
                .filter(route -> route.service() == service)
                .isPresent();
    }

    /** Whether it looks like an OpenAPI document. */
    static boolean isDocument(JsonNode node) {
        return node instanceof ObjectNode && node.path("openapi").isString();
    }
}
