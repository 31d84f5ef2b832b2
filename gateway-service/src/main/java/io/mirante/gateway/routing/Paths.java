package io.mirante.gateway.routing;

import java.util.List;

/** Paths as they are meant: without trailing slash, and those of the replaced systems in their new place. */
final class Paths {

    private static final String API = "/api/v1";
    private static final List<String> REPLACED =
            List.of("/fans", "/segments", "/kpis", "/notifications", "/predict");

    private Paths() {}

    /**
     * A path after rewriting.
     *
     * @param deprecated it came under a replaced system's path
     */
    record Meant(String path, boolean deprecated) {}

    static Meant of(String rawPath) {
        var path = rawPath;
        while (path.length() > 1 && path.endsWith("/")) {
            path = path.substring(0, path.length() - 1);
        }
        boolean deprecated = replaced(path);
        if (deprecated) {
            path = API + path;
        }
        return new Meant(
                path.equals(API + "/kpis/clusterizar") ? API + "/kpis/cluster" : path, deprecated);
    }

    private static boolean replaced(String path) {
        for (var root : REPLACED) {
            if (path.startsWith(root)
                    && (path.length() == root.length() || path.charAt(root.length()) == '/')) {
                return true;
            }
        }
        return false;
    }
}
