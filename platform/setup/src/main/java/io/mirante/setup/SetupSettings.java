package io.mirante.setup;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the environment tells the set-up step.
 *
 * @param database the owner's
 * @param appPasswords by service, none blank
 * @param streamPasswords by service, none blank
 * @param bootstrapServers of Kafka, not blank
 */
record SetupSettings(
        DatabaseUrl database,
        Map<String, String> appPasswords,
        Map<String, String> streamPasswords,
        String bootstrapServers) {

    /** Short names of the services, which are also their schemas. */
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

    SetupSettings {
        appPasswords = Map.copyOf(appPasswords);
        streamPasswords = Map.copyOf(streamPasswords);
    }

    static String appPasswordName(String service) {
        return service.toUpperCase(Locale.ROOT) + "_DB_APP_PASSWORD";
    }

    static String streamPasswordName(String service) {
        return service.toUpperCase(Locale.ROOT) + "_DB_STREAM_PASSWORD";
    }

    /**
     * Reads the settings.
     *
     * @throws SetupException that names every missing one, or the wrong one
     */
    static SetupSettings from(Map<String, String> environment) {
        var missing = new ArrayList<String>();
        String url = take(environment, "DATABASE_URL", missing);
        String servers = take(environment, "KAFKA_BOOTSTRAP_SERVERS", missing);
        var app = new TreeMap<String, String>();
        var stream = new TreeMap<String, String>();
        for (String service : SERVICES) {
            app.put(service, take(environment, appPasswordName(service), missing));
            stream.put(service, take(environment, streamPasswordName(service), missing));
        }
        if (!missing.isEmpty()) {
            throw SetupException.ofSetting("not set: " + String.join(", ", missing));
        }
        return new SetupSettings(database(url), app, stream, servers);
    }

    private static String take(Map<String, String> environment, String name, List<String> missing) {
        @Nullable String value = environment.get(name);
        if (value == null || value.isBlank()) {
            missing.add(name);
            return "";
        }
        return value.strip();
    }

    private static DatabaseUrl database(String text) {
        DatabaseUrl url;
        try {
            url = DatabaseUrl.parse(text);
        } catch (IllegalArgumentException e) {
            throw SetupException.ofSetting("DATABASE_URL: " + e.getMessage());
        }
        if (url.user().isEmpty() || url.password().isEmpty()) {
            throw SetupException.ofSetting(
                    "DATABASE_URL must name the owner and its password:"
                            + " postgresql://owner:password@host:port/database");
        }
        return url;
    }
}
