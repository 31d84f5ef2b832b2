/** Signed tokens between gateway and services: verified once and cached, minted by whoever holds a key. */
@NullMarked
package io.mirante.platform.security;

import org.jspecify.annotations.NullMarked;
