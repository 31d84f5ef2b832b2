/** This service's part in the erasure of a person. */
@NullMarked
package io.mirante.segmentation.erasure;

import org.jspecify.annotations.NullMarked;
