package io.mirante.churn.scoring;

import java.time.Instant;
import java.util.Map;

/** A user's newest features. */
record FeatureVector(String tenant, String userId, Instant asOf, Map<String, Double> features) {}
