/** {@code ./mesh etl run}: starts a data-quality or batch run over the gateway, shows how far it is, and ends with its figures. */
@NullMarked
package io.mirante.bench.etl;

import org.jspecify.annotations.NullMarked;
