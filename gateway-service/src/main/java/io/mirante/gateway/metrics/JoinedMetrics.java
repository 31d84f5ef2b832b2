package io.mirante.gateway.metrics;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Joins pages in Prometheus' text format: each metric once, with the samples of all services, each labelled {@code
 * service}. Not thread-safe.
 */
final class JoinedMetrics {

    private final Map<String, Family> families = new LinkedHashMap<>();

    private static final class Family {
        private @Nullable String help;
        private @Nullable String type;
        private final List<String> samples = new ArrayList<>();
    }

    /** Adds a service's page. */
    JoinedMetrics add(String service, String page) {
        Family current = new Family();
        String name = "";
        for (var line : page.lines().toList()) {
            if (line.startsWith("# HELP ") || line.startsWith("# TYPE ")) {
                var found = word(line.substring(7));
                if (!found.equals(name)) {
                    name = found;
                    current = families.computeIfAbsent(name, n -> new Family());
                }
                if (line.startsWith("# HELP ")) {
                    current.help = current.help == null ? line : current.help;
                } else {
                    current.type = current.type == null ? line : current.type;
                }
            } else if (!line.isBlank() && !line.startsWith("#")) {
                var family = word(line);
                if (name.isEmpty() || !family.startsWith(name)) {
                    name = family;
                    current = families.computeIfAbsent(name, n -> new Family());
                }
                current.samples.add(labelled(service, line));
            }
        }
        return this;
    }

    private static String word(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == ' ' || text.charAt(i) == '{') {
                return text.substring(0, i);
            }
        }
        return text;
    }

    private static String labelled(String service, String sample) {
        int brace = sample.indexOf('{');
        int space = sample.indexOf(' ');
        if (brace < 0 || (space >= 0 && space < brace)) {
            return sample.substring(0, Math.max(0, space))
                    + "{service=\""
                    + service
                    + "\"}"
                    + sample.substring(Math.max(0, space));
        }
        if (sample.startsWith("service=\"", brace + 1) || sample.contains(",service=\"")) {
            return sample;
        }
        return sample.substring(0, brace + 1)
                + "service=\""
                + service
                + "\""
                + (sample.charAt(brace + 1) == '}' ? "" : ",")
                + sample.substring(brace + 1);
    }

    /** The joined page. */
    String page() {
        var page = new StringBuilder();
        families.values()
                .forEach(family -> {
                    if (family.help != null) {
                        page.append(family.help).append('\n');
                    }
                    if (family.type != null) {
                        page.append(family.type).append('\n');
                    }
                    family.samples.forEach(sample -> page.append(sample).append('\n'));
                });
        return page.toString();
    }
}
