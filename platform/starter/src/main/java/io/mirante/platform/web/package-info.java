/** What every REST API of the mesh shares: problem details, paging, request ids, who is calling. */
@NullMarked
package io.mirante.platform.web;

import org.jspecify.annotations.NullMarked;
