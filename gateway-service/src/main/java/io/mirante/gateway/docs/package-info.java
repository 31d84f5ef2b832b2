/** The services' OpenAPI documents, and Swagger UI over all of them; works without the internet. */
@NullMarked
package io.mirante.gateway.docs;

import org.jspecify.annotations.NullMarked;
