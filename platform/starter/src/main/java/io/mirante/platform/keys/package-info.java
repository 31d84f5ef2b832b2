/** The installation's master key, and what is encrypted or salted for one tenant with it. */
@NullMarked
package io.mirante.platform.keys;

import org.jspecify.annotations.NullMarked;
