/**
 * The mesh as seen from outside: HTTP through the gateway, nothing else.
 *
 * <p>{@link io.mirante.bench.client.MeshClient} knows the routes and {@link io.mirante.bench.client.EventSender} keeps
 * the client's half of the delivery promise: what was not acknowledged is sent again with the same id.
 */
@NullMarked
package io.mirante.bench.client;

import org.jspecify.annotations.NullMarked;
