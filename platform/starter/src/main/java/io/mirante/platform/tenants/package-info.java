/** What each tenant has chosen (time zone, currency, limits, masking …), in memory and current within five seconds. */
@NullMarked
package io.mirante.platform.tenants;

import org.jspecify.annotations.NullMarked;
