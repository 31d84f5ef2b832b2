/** Features of each known user: their definitions, kept current, published and served. */
@NullMarked
package io.mirante.etl.features;

import org.jspecify.annotations.NullMarked;
