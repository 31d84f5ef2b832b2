package io.mirante.contracts.segmentation;

import io.mirante.contracts.OfPerson;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

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
        long revision)
        implements OfPerson<UserCluster> {

    @Override
    public Instant knownAt() {
        return asOf;
    }

    @Override
    public @Nullable UserCluster withoutPerson() {
        return null;
    }
}
