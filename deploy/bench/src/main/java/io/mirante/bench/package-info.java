/**
 * What a person runs against a mesh to see it work and to measure it: the demo, and the benches.
 *
 * <p>Plain Java: nothing here is part of a running mesh, and everything talks to it through the gateway, as a client
 * does.
 */
@NullMarked
package io.mirante.bench;

import org.jspecify.annotations.NullMarked;
