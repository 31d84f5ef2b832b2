/**
 * Rules, their evaluation each second, and the states of alerts. One replica at a time moves a tenant's alerts; the state
 * is in PostgreSQL, so a restart goes on from it.
 */
@NullMarked
package io.mirante.alert.alerting;

import org.jspecify.annotations.NullMarked;
