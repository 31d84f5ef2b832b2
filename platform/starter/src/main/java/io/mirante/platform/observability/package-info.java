/** Health of the real dependencies and the counters every service has. */
@NullMarked
package io.mirante.platform.observability;

import org.jspecify.annotations.NullMarked;
