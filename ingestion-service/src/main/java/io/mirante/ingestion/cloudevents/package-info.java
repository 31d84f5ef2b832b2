/** CloudEvents 1.0 as a way in: binary, structured and batched over HTTP; its form is also read from Kafka. */
@NullMarked
package io.mirante.ingestion.cloudevents;

import org.jspecify.annotations.NullMarked;
