package io.mirante.etl.log;

import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import java.time.Duration;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Makes the event log's partitions for the months to come, and drops past ones that are empty, at start and every hour. Should it
 * fail, rows go to the default partition: nothing is refused.
 */
@Component
@CrossTenant("partitions hold all tenants")
final class EventPartitions extends Periodic {

    private static final Logger LOG = LoggerFactory.getLogger(EventPartitions.class);
    private static final int MONTHS_AHEAD = 2;
    private static final Duration LIMIT = Duration.ofSeconds(70);

    private final StreamDatabase stream;

    EventPartitions(StreamDatabase stream) {
        super("event-partitions", Duration.ZERO, Duration.ofHours(1));
        this.stream = stream;
    }

    @Override
    protected void turn() {
        int made = number("SELECT create_event_partitions(%d)".formatted(MONTHS_AHEAD));
        int dropped = number("SELECT drop_empty_event_partitions()");
        if (made + dropped > 0) {
            LOG.info(
                    "made {} partitions of the event log, dropped {} that were empty",
                    made,
                    dropped);
        }
    }

    private int number(String sql) {
        return stream.client()
                .sql(sql)
                .map(row -> Objects.requireNonNull(row.get(0, Integer.class)))
                .one()
                .blockOptional(LIMIT)
                .orElse(0);
    }
}
