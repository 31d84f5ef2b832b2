/** The two ways to PostgreSQL: as one tenant (requests, schedulers) and as the stream (consumers, publishers). */
@NullMarked
package io.mirante.platform.persistence;

import org.jspecify.annotations.NullMarked;
