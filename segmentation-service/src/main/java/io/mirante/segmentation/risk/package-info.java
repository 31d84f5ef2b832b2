/** Keeps churn's newest score of each user, for profiles and KPIs. */
@NullMarked
package io.mirante.segmentation.risk;

import org.jspecify.annotations.NullMarked;
