package io.mirante.snapshot.export;

import io.mirante.snapshot.behaviour.PersonNumbers;
import io.mirante.snapshot.export.ExportColumn.Type;
import io.mirante.snapshot.lake.LakeReader;
import io.mirante.snapshot.lake.LakeRow;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Events as they are shown of a person, in no order. */
@Component
final class EventsDataset implements Dataset {

    private static final List<ExportColumn> COLUMNS =
            List.of(
                    new ExportColumn("event_id", Type.TEXT),
                    new ExportColumn("event_type", Type.TEXT),
                    new ExportColumn("timestamp", Type.TIME, "occurred_at"),
                    new ExportColumn("received_at", Type.TIME),
                    new ExportColumn("user_id", Type.TEXT),
                    new ExportColumn("anonymous_id", Type.TEXT),
                    new ExportColumn("person_no", Type.INTEGER),
                    new ExportColumn("session_id", Type.TEXT),
                    new ExportColumn("country", Type.TEXT),
                    new ExportColumn("device", Type.TEXT),
                    new ExportColumn("data", Type.JSON));

    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** Rows between two looks whether to go on. */
    private static final int ROWS_PER_PULSE = 4096;

    private final LakeReader lake;
    private final PersonNumbers persons;

    EventsDataset(LakeReader lake, PersonNumbers persons) {
        this.lake = lake;
        this.persons = persons;
    }

    @Override
    public String name() {
        return "events";
    }

    @Override
    public Set<Filter> filters() {
        return EnumSet.allOf(Filter.class);
    }

    /** A user's events are all of the person's, those before the person was known among them. */
    @Override
    public void write(String tenant, Export.Wanted wanted, ExportFile file, Runnable pulse)
            throws SQLException {
        var numbers =
                wanted.userIds().isEmpty()
                        ? null
                        : persons.of(tenant, wanted.userIds()).block(LIMIT);
        lake.copy(
                tenant,
                new LakeReader.Selection(wanted.range(), wanted.eventTypes(), numbers),
                new IntoFile(file, pulse));
    }

    private static final class IntoFile implements LakeReader.Copy {
        private final ExportFile file;
        private final Runnable pulse;
        private long rows;

        IntoFile(ExportFile file, Runnable pulse) {
            this.file = file;
            this.pulse = pulse;
        }

        @Override
        public void begin() throws SQLException {
            pulse.run();
            file.begin(COLUMNS);
        }

        @Override
        public void add(LakeRow row) {
            if (++rows % ROWS_PER_PULSE == 0) {
                pulse.run();
            }
            file.add(
                    Arrays.asList(
                            row.eventId(),
                            row.eventType(),
                            row.occurredAt(),
                            row.receivedAt(),
                            row.userId(),
                            row.anonymousId(),
                            row.personNo(),
                            row.sessionId(),
                            row.country(),
                            row.device(),
                            row.data()));
        }

        @Override
        public void finish(@Nullable String files) throws SQLException {
            pulse.run();
            file.finish(files);
        }
    }
}
