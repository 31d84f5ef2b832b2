/** The delivery core: polls applied exactly once by position, poison kept, state published by revision, as_of. */
@NullMarked
package io.mirante.platform.messaging;

import org.jspecify.annotations.NullMarked;
