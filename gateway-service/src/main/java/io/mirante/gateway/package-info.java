/**
 * The only door for HTTP: a key becomes a signed token, and the request goes to the service that owns its route.
 *
 * <p>Delivery: passes requests on once and never repeats one. Threads: event loops only; bodies are streamed, never
 * buffered.
 */
@NullMarked
package io.mirante.gateway;

import org.jspecify.annotations.NullMarked;
