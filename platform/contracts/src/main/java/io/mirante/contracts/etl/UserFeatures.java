package io.mirante.contracts.etl;

import io.mirante.contracts.OfPerson;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A user's features as of a point in time. On {@code mirante.features.user}; at most one a user and second.
 *
 * @param features numeric features by name, all finite; a feature that has no value for this user is absent
 * @param categories features whose values are texts, by name
 * @param population version of what the user is compared with for scores and lifetime values; null = these are absent
 * @param asOf every event accepted before is counted
 * @param version version of the feature definitions
 * @param revision rises with every change of this user's features
 */
public record UserFeatures(
        String tenantId,
        String userId,
        long personNo,
        int version,
        Instant asOf,
        long revision,
        Map<String, Double> features,
        Map<String, String> categories,
        @Nullable Long population)
        implements OfPerson<UserFeatures> {

    /** Of a user who is compared with nobody, without categories. */
    public UserFeatures(
            String tenantId,
            String userId,
            long personNo,
            int version,
            Instant asOf,
            long revision,
            Map<String, Double> features) {
        this(tenantId, userId, personNo, version, asOf, revision, features, Map.of(), null);
    }

    @SuppressWarnings("ConstantConditions") // messages of version 1 have no categories
    public UserFeatures {
        features = Map.copyOf(features);
        categories = categories == null ? Map.of() : Map.copyOf(categories);
        features.forEach((name, value) -> {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException(
                        "feature " + name + " must be finite, was " + value);
            }
        });
    }

    @Override
    public Instant knownAt() {
        return asOf;
    }

    @Override
    public @Nullable UserFeatures withoutPerson() {
        return null;
    }
}
