/** Models that were trained, and which of them is in force for each tenant. */
@NullMarked
package io.mirante.churn.registry;

import org.jspecify.annotations.NullMarked;
