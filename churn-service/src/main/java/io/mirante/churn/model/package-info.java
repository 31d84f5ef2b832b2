/** Models as plain Java over XGBoost's booster: training, calibration, prediction, reasons. No Spring, no Reactor. */
@NullMarked
package io.mirante.churn.model;

import org.jspecify.annotations.NullMarked;
