/**
 * The set-up step that runs before the services: creates topics, roles and schemas, and migrates them with the owner's
 * credentials, which services never hold. Idempotent; safe to run on every start and from several places at once.
 */
@NullMarked
package io.mirante.setup;

import org.jspecify.annotations.NullMarked;
