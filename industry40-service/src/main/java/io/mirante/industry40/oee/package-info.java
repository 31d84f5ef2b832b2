/** Overall equipment effectiveness per ISO 22400-2 and per Nakajima, from given figures or from telemetry. */
@NullMarked
package io.mirante.industry40.oee;

import org.jspecify.annotations.NullMarked;
