/** People: whom a tenant has let in, with which roles, and how their OIDC tokens are recognised. */
@NullMarked
package io.mirante.gateway.users;

import org.jspecify.annotations.NullMarked;
