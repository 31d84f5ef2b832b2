/** This service's part in the erasure of a person. */
@NullMarked
package io.mirante.etl.erasure;

import org.jspecify.annotations.NullMarked;
