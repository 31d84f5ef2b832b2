/** Recency, frequency, monetary value: a user's figures, scores among the tenant's population, named segments. */
@NullMarked
package io.mirante.segmentation.rfm;

import org.jspecify.annotations.NullMarked;
