/** How fast events get in: {@code ./mesh bench ingest}. */
@NullMarked
package io.mirante.bench.ingest;

import org.jspecify.annotations.NullMarked;
