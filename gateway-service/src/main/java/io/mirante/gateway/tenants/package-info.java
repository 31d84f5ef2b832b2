/** Tenants and their settings: kept here, published to every service on {@code mirante.tenants}. */
@NullMarked
package io.mirante.gateway.tenants;

import org.jspecify.annotations.NullMarked;
