/**
 * What a customer is worth from now on: BG/NBD says how often one comes back and whether one still does, Gamma-Gamma what
 * one spends each time. Plain arithmetic on what the caller has counted; values are immutable and safe to share.
 */
@NullMarked
package io.mirante.etl.lifetime;

import org.jspecify.annotations.NullMarked;
