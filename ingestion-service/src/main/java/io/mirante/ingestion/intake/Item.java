package io.mirante.ingestion.intake;

import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.platform.messaging.Outgoing;
import java.util.List;
import java.util.function.Supplier;

/** One event or reading after its check. */
public sealed interface Item {

    /** One with a record that Kafka must store before it is answered. */
    sealed interface Recorded extends Item {
        Outgoing record();
    }

    /**
     * Good.
     *
     * @param rejection makes the record that keeps it instead, should Kafka find it too large
     */
    record Good(Outgoing record, Supplier<Bad> rejection) implements Recorded {}

    /**
     * Not good.
     *
     * @param record keeps it with its reason
     * @param errors at least one; pointers go into the event
     */
    record Bad(Outgoing record, Reason reason, List<FieldError> errors) implements Recorded {
        public Bad {
            errors = List.copyOf(errors);
        }
    }

    /** Not looked at: the tenant is over its limit of events per second. To be sent again. */
    record Deferred() implements Item {}
}
