package io.mirante.etl.runs;

import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** Drops backups of loads whose time is over, every hour; PostgreSQL's clock decides. */
@Component
@CrossTenant("backups of all tenants grow old")
final class DropOldBackups extends Periodic {

    private static final Logger LOG = LoggerFactory.getLogger(DropOldBackups.class);
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private final StreamDatabase stream;

    DropOldBackups(StreamDatabase stream) {
        super("old-backups", Duration.ofMinutes(1), Duration.ofHours(1));
        this.stream = stream;
    }

    @Override
    protected void turn() {
        Long rows;
        while ((rows = FeatureLoads.dropOldBackup(stream.client()).block(LIMIT)) != null) {
            LOG.info("dropped {} rows of an old backup", rows);
        }
    }
}
