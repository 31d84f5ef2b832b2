/** What runs from a service's start to its stop. */
@NullMarked
package io.mirante.platform.lifecycle;

import org.jspecify.annotations.NullMarked;
