/** Derived tables made anew from etl's log, while the old ones are shown and go on counting. */
@NullMarked
package io.mirante.platform.rebuild;

import org.jspecify.annotations.NullMarked;
