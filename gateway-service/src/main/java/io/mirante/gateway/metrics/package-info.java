/** Prometheus metrics of all services in one page. */
@NullMarked
package io.mirante.gateway.metrics;

import org.jspecify.annotations.NullMarked;
