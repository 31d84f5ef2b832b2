/** The description of the door for Kafka. */
@NullMarked
package io.mirante.gateway.asyncapi;

import org.jspecify.annotations.NullMarked;
