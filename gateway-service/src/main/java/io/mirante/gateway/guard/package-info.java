/** What keeps trouble where it is: breakers and bulkheads per service, a deadline for headers, CORS. */
@NullMarked
package io.mirante.gateway.guard;

import org.jspecify.annotations.NullMarked;
