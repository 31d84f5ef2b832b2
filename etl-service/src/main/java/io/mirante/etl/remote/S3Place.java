package io.mirante.etl.remote;

import java.net.URI;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Objects of a bucket.
 *
 * @param prefix what their keys begin with; empty = all of the bucket
 * @param endpoint URL of a server that is not Amazon's; null = Amazon's of the region
 */
public record S3Place(String bucket, String prefix, String region, @Nullable String endpoint)
        implements Place {

    Optional<URI> server() {
        return Optional.ofNullable(endpoint).map(URI::create);
    }

    @Override
    public String toString() {
        return "s3://" + bucket + "/" + prefix;
    }
}
