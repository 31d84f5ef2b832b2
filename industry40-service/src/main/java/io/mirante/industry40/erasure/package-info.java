/** This service's part in the erasure of a person. */
@NullMarked
package io.mirante.industry40.erasure;

import org.jspecify.annotations.NullMarked;
