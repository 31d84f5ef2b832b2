package io.mirante.ingestion.intake;

import io.mirante.contracts.events.FieldError;
import io.mirante.platform.messaging.Outgoing;
import java.util.List;
import java.util.function.Supplier;

/** One event or reading after its check, with the record that Kafka must store before it is answered. */
public sealed interface Item {

    Outgoing record();

    /**
     * Good.
     *
     * @param rejection makes the record that keeps it instead, should Kafka find it too large
     */
    record Good(Outgoing record, Supplier<Bad> rejection) implements Item {}

    /**
     * Not good.
     *
     * @param record keeps it with its reason
     * @param size it is too large: 413 when it came alone
     * @param errors at least one; pointers go into the event
     */
    record Bad(Outgoing record, boolean size, List<FieldError> errors) implements Item {
        public Bad {
            errors = List.copyOf(errors);
        }
    }
}
