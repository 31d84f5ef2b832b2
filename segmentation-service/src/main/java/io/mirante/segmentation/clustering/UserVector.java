package io.mirante.segmentation.clustering;

import java.time.Instant;
import java.util.Map;

/** A user's newest features. */
record UserVector(String tenant, String userId, Instant asOf, Map<String, Double> features) {}
