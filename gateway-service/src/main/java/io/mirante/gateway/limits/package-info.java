/** Requests per key and minute: token buckets in memory, or in Redis when replicas are to share them. */
@NullMarked
package io.mirante.gateway.limits;

import org.jspecify.annotations.NullMarked;
