/** Personal data is masked here, before anything is stored: by a tenant's rules, then by defaults. No I/O. */
@NullMarked
package io.mirante.contracts.masking;

import org.jspecify.annotations.NullMarked;
