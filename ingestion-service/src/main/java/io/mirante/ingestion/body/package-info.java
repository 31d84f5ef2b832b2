/** Request bodies: bounded, unpacked and parsed once. */
@NullMarked
package io.mirante.ingestion.body;

import org.jspecify.annotations.NullMarked;
