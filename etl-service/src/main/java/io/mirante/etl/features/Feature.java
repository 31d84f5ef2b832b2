package io.mirante.etl.features;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Definition of a feature: a value per user as of a moment.
 *
 * @param name snake_case, stable
 * @param meaning a sentence; says when the feature is absent
 * @param formula of an aggregated feature the SQL over the user's events, see {@link FeatureQuery}; else in words
 * @param unit {@code days}, {@code events}, {@code currency}, {@code ratio} …
 * @param type {@code count}, {@code amount}, {@code duration}, {@code ratio}, {@code flag}, {@code score}, or {@code category},
 *     whose values are texts
 * @param min least value; null = no limit
 * @param max largest value; null = no limit
 * @param values all values of a category; empty = any
 * @param events types of events it looks at; empty = all
 * @param since version of the definitions that brought it
 * @param training whether training sets have it: numbers that one user's own past gives
 * @param origin what it is computed from
 */
public record Feature(
        String name,
        String meaning,
        String formula,
        String unit,
        String type,
        @Nullable Double min,
        @Nullable Double max,
        List<String> values,
        List<String> events,
        int since,
        boolean training,
        @JsonIgnore Origin origin) {

    static final String CATEGORY = "category";

    /** What a feature is computed from. */
    enum Origin {
        /** The user's events, one by one. */
        EVENTS,
        /** The user's events in their order, parted by their sessions. */
        SESSIONS,
        /** The user's purchases in their order. */
        PURCHASES,
        /** The days with an event of the user's, in their order. */
        DAYS,
        /** How often the user's events have each value of something; see {@link FeatureQuery}. */
        TALLIES,
        /** Other features of the user, compared with those of all users. */
        POPULATION
    }

    public Feature {
        values = List.copyOf(values);
        events = List.copyOf(events);
    }

    /** Whether its values are texts. */
    boolean isText() {
        return type.equals(CATEGORY);
    }
}
