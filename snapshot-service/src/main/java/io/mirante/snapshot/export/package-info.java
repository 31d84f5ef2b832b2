/** Data sets as files. */
@NullMarked
package io.mirante.snapshot.export;

import org.jspecify.annotations.NullMarked;
