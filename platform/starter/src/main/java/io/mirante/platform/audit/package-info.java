/**
 * Tells the audit log who called what: one record per authenticated call on {@code mirante.audit}, never the payload.
 * Best effort beside the request: it neither slows nor fails one, and what is dropped is counted.
 */
@NullMarked
package io.mirante.platform.audit;

import org.jspecify.annotations.NullMarked;
