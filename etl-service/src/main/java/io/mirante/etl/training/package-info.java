/** Training sets: features as they were at past dates, with what happened afterwards as the label. */
@NullMarked
package io.mirante.etl.training;

import org.jspecify.annotations.NullMarked;
