/** Figures per cluster, and lists of segments with their users. */
@NullMarked
package io.mirante.segmentation.kpi;

import org.jspecify.annotations.NullMarked;
