/** KMeans over users' features: models on request, and everyone's place under the current one. */
@NullMarked
package io.mirante.segmentation.clustering;

import org.jspecify.annotations.NullMarked;
