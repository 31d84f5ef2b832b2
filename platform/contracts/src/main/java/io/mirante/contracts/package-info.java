/**
 * What the services say to each other: topics, headers, keys, event records. Plain Java without Spring, thread-safe
 * (immutable values and static functions); the owner of a topic is the sub-package that holds its record.
 */
@NullMarked
package io.mirante.contracts;

import org.jspecify.annotations.NullMarked;
