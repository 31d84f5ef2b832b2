package io.mirante.contracts;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/**
 * The JSON mapper of every message: snake_case, instants as RFC 3339 text, decimals kept exactly, unknown fields ignored
 * (a newer producer may add some), duplicate keys refused. Thread-safe.
 */
public final class Json {

    /** Deepest nesting accepted anywhere. */
    public static final int MAX_DEPTH = 100;

    private static final Pattern FROM_SETTING = Pattern.compile(", from `[^`]*`");

    private static final JsonMapper MAPPER =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(MAX_DEPTH)
                                                    .build())
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .build())
                    .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                    .changeDefaultPropertyInclusion(
                            i -> i.withValueInclusion(JsonInclude.Include.ALWAYS))
                    .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private Json() {}

    /** The shared mapper. */
    public static JsonMapper mapper() {
        return MAPPER;
    }

    /** Why something could not be read, for people: without what the reader says of itself and its settings. */
    public static String reason(JacksonException error) {
        var message = FROM_SETTING.matcher(error.getOriginalMessage()).replaceAll("");
        if (message.startsWith("Trailing token")) {
            return "more follows after its end";
        }
        int source = message.indexOf("[Source");
        if (source < 0) {
            return message;
        }
        int opened = message.lastIndexOf('(', source);
        return message.substring(0, opened < 0 ? source : opened).strip();
    }
}
