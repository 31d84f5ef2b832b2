package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Values of rows that a run's report quotes: its samples and most frequent values. */
public final class Quotes {

    /** Reports quote no more of a value, in characters. */
    public static final int LONGEST = 80;

    private static final Set<String> QUOTED = Set.of("samples", "top");

    /** A sample is {@code row 7: user = ana}, {@code row 7: ana}, {@code row 7: key ana, 3} or an error that has the value in quotes. */
    private static final Pattern BEFORE = Pattern.compile("^|: (key )?|= |, |[\"']");

    private static final Pattern AFTER = Pattern.compile("$|, |[\"']");

    private Quotes() {}

    /**
     * The report without its quotes, when one of them is such a value; else empty.
     *
     * @param report JSON
     * @param value takes a whole value, cut as a quote is and without space around it
     */
    public static Optional<String> without(String report, Predicate<String> value) {
        var tree = Json.mapper().readTree(report);
        if (!quotes(tree, value)) {
            return Optional.empty();
        }
        empty(tree);
        return Optional.of(Json.mapper().writeValueAsString(tree));
    }

    /** Whether an error's text has such a value in quotes, or at its end after a colon. */
    public static boolean in(String error, Predicate<String> value) {
        return values(error).stream().anyMatch(value);
    }

    private static boolean quotes(JsonNode node, Predicate<String> value) {
        boolean found = false;
        if (node instanceof ObjectNode object) {
            for (var name : QUOTED) {
                found |=
                        object.get(name) instanceof ArrayNode quotes
                                && quotes.valueStream()
                                        .map(quote ->
                                                quote.isObject() ? quote.path("value") : quote)
                                        .flatMap(quote -> values(quote.asString("")).stream())
                                        .anyMatch(value);
            }
        }
        for (var child : node) {
            found |= quotes(child, value);
        }
        return found;
    }

    /** What may be a value in a quote. */
    private static List<String> values(String quote) {
        var values = new ArrayList<String>();
        var begins = BEFORE.matcher(quote).results().map(at -> at.end()).toList();
        var ends = AFTER.matcher(quote).results().map(at -> at.start()).toList();
        for (int begin : begins) {
            for (int end : ends) {
                if (end > begin) {
                    values.add(quote.substring(begin, end).strip());
                }
            }
        }
        return values;
    }

    private static void empty(JsonNode node) {
        if (node instanceof ObjectNode object) {
            for (var name : QUOTED) {
                if (object.get(name) instanceof ArrayNode quotes) {
                    quotes.removeAll();
                }
            }
        }
        node.forEach(Quotes::empty);
    }
}
