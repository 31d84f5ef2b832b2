/** Keeps each user's newest features and score, answers predictions on request, keeps their history. */
@NullMarked
package io.mirante.churn.scoring;

import org.jspecify.annotations.NullMarked;
