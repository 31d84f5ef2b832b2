/**
 * Erasure of a person as a job: the order goes to every service on {@code mirante.erasures}, the answers make the receipt.
 * A service that is down delays an erasure and does not lose it; a repeated request joins the one under way.
 */
@NullMarked
package io.mirante.gateway.erasure;

import org.jspecify.annotations.NullMarked;
