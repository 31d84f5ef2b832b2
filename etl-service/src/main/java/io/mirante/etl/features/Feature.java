package io.mirante.etl.features;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * Definition of a feature: a number per user as of a moment.
 *
 * @param name snake_case, stable
 * @param meaning a sentence; says when the feature is absent
 * @param unit {@code days}, {@code events}, {@code currency}, {@code ratio} …
 * @param type {@code count}, {@code amount}, {@code duration}, {@code ratio} or {@code flag}
 * @param since version of the definitions that brought it
 * @param sql aggregate over the user's events before the moment; see {@link FeatureQuery}
 */
public record Feature(
        String name, String meaning, String unit, String type, int since, @JsonIgnore String sql) {}
