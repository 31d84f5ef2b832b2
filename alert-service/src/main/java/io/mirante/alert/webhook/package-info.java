/**
 * Tells receivers: at least once, with the same id each time (Standard Webhooks), each receiver at its own pace, and only
 * at addresses that may be reached.
 */
@NullMarked
package io.mirante.alert.webhook;

import org.jspecify.annotations.NullMarked;
