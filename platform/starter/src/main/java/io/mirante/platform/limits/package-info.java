/** Token buckets that replicas share through Redis. A service that uses them brings Bucket4j's and Lettuce's jars. */
@NullMarked
package io.mirante.platform.limits;

import org.jspecify.annotations.NullMarked;
