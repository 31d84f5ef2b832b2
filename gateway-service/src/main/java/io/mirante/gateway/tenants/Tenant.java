package io.mirante.gateway.tenants;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.mirante.contracts.gateway.TenantSettings;
import java.time.Instant;

/** A tenant as the API shows it: its settings, and when it was made and last changed. */
record Tenant(@JsonUnwrapped TenantSettings settings, Instant createdAt, Instant updatedAt) {}
