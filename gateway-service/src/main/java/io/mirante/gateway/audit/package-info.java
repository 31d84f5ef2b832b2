/** The audit log: every administrative act, written with the act, and every call that services tell of on Kafka. */
@NullMarked
package io.mirante.gateway.audit;

import org.jspecify.annotations.NullMarked;
