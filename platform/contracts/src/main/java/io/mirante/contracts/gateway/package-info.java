/** What gateway-service publishes: tenants' settings, and its share of the audit log's records. */
@NullMarked
package io.mirante.contracts.gateway;

import org.jspecify.annotations.NullMarked;
