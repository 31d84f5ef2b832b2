/**
 * {@code ./mesh demo}: plays a shop (or real purchases) through the gateway, waits for the answers, prints them, and
 * compares them with what was played.
 *
 * <p>One class per stage would hide the story; {@link io.mirante.bench.demo.ShopDemo} and
 * {@link io.mirante.bench.demo.CdnowDemo} read from top to bottom as the demo runs.
 */
@NullMarked
package io.mirante.bench.demo;

import org.jspecify.annotations.NullMarked;
