/** Questions about behaviour over a lake of many events, against DuckDB alone. */
@NullMarked
package io.mirante.bench.analytics;

import org.jspecify.annotations.NullMarked;
