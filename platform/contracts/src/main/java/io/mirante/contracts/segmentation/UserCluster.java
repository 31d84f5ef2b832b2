package io.mirante.contracts.segmentation;

import java.time.Instant;

/**
 * The cluster a user belongs to. On {@code mirante.clusters}.
 *
 * @param cluster 0 to k - 1
 * @param distance Euclidean distance to the centroid in standardised units, 0 or more
 */
public record UserCluster(
        String tenantId,
        String userId,
        String modelId,
        int cluster,
        String label,
        double distance,
        Instant asOf,
        long revision) {}
