/** Long work: stored, leased, resumed after a crash, told about over REST. */
@NullMarked
package io.mirante.platform.jobs;

import org.jspecify.annotations.NullMarked;
