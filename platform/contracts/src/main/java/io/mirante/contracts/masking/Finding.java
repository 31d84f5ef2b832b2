package io.mirante.contracts.masking;

import io.mirante.contracts.gateway.MaskingRule.Kind;

/**
 * Personal data found in a text.
 *
 * @param from its first character
 * @param to the character after its last
 */
record Finding(Kind kind, int from, int to) {}
