package io.mirante.snapshot.lake;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.messaging.FaultPoint;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantsOf;
import io.mirante.snapshot.CountedUpTo;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Writes tenants' new rows into the lake, makes one file of a day's many, and removes files that do not count. One replica at a time has a
 * tenant; should two, what the second writes is based on what is not so any more, and is thrown away. What fails is tried again with the next
 * turn: rows stay in PostgreSQL.
 */
@Component
@CrossTenant("asks which tenants have new rows; each tenant's are read and written as the tenant")
final class KeepLake extends Periodic {

    /** Between a file and its row in the manifest. */
    static final String BEFORE_MANIFEST = "lake-before-manifest";

    /** Between a row in the manifest and the removal of the files it replaces. */
    static final String AFTER_MANIFEST = "lake-after-manifest";

    /**
     * Whether coverage has to be said anew although nothing is new: it must pass the newest event by more than clocks differ, and by more than
     * retention leaves for that.
     */
    static final String STALE =
            "(covered_until IS NULL OR covered_until < newest_received_at + interval '1 day')";

    /** Whether erased persons are left in files: mostly they are gone before, with the answer to the erasure. */
    static final String ERASURES_WAIT =
            "EXISTS (SELECT 1 FROM lake_erased d WHERE d.tenant_id = l.tenant_id AND d.noted_at < now() - interval '10 minutes')";

    /** So many small files of a day become one. */
    static final int FILES_OF_DAY = 8;

    /** A file with more rows stays as it is. */
    private static final long SMALL = 1_000_000;

    /** So long files stay that do not count: a backup that is being written, or somebody who looks on, may want them. */
    static final Duration RETIRED = Duration.ofHours(1);

    private static final Duration FIRST = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofSeconds(30);
    private static final Duration SHARE = Duration.ofMinutes(1);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Logger LOG = LoggerFactory.getLogger(KeepLake.class);

    private final StreamDatabase stream;
    private final LakeManifest manifest;
    private final LakeFolder folder;
    private final LakeSettings settings;
    private final CountedUpTo countedUpTo;
    private final EraseFromLake eraser;
    private final FaultPoint faults;
    private final Counter rows;
    private final Counter failures;
    private final String owner = UUID.randomUUID().toString();
    private volatile long secondsBehind;

    KeepLake(
            StreamDatabase stream,
            LakeManifest manifest,
            LakeSettings settings,
            CountedUpTo countedUpTo,
            EraseFromLake eraser,
            FaultPoint faults,
            MeterRegistry meters) {
        super("lake", FIRST, PAUSE);
        this.stream = stream;
        this.manifest = manifest;
        this.folder = new LakeFolder(settings.folder());
        this.settings = settings;
        this.countedUpTo = countedUpTo;
        this.eraser = eraser;
        this.faults = faults;
        this.rows = meters.counter("mirante.lake.rows");
        this.failures = meters.counter("mirante.lake.failures");
        Gauge.builder("mirante.lake.behind", this, lake -> lake.secondsBehind)
                .baseUnit("seconds")
                .register(meters);
    }

    @Override
    protected void turn() {
        var due = due();
        secondsBehind =
                due.values().stream()
                        .mapToLong(since -> Duration.between(since, Instant.now()).toSeconds())
                        .max()
                        .orElse(0);
        RuntimeException last = null;
        int failed = 0;
        for (var tenant : due.keySet()) {
            try {
                keep(tenant);
            } catch (RuntimeException e) {
                failures.increment();
                failed++;
                last = e;
            }
        }
        if (last != null) {
            throw new IllegalStateException(
                    "the lake of %d of %d tenants: %s"
                            .formatted(failed, due.size(), last.getMessage()),
                    last);
        }
    }

    /** What there is to do for a tenant; nothing while another replica is at it. */
    void keep(String tenant) {
        if (!manifest.lease(tenant, owner)) {
            return;
        }
        try {
            checkFiles(tenant);
            if (manifest.erasuresWait(tenant)) {
                eraser.erase(tenant, owner);
            }
            long since = System.nanoTime();
            while (flush(tenant) && goOn(tenant, since)) {}
            while (merge(tenant) && goOn(tenant, since)) {}
            removeOthers(tenant);
        } finally {
            manifest.release(tenant, owner);
        }
    }

    /** Not while other tenants or an erasure wait. */
    private boolean goOn(String tenant, long since) {
        return System.nanoTime() - since < SHARE.toNanos()
                && manifest.erased(tenant).isEmpty()
                && manifest.lease(tenant, owner);
    }

    /** By tenant, when the first event was received that is in no file; now, where there is none. */
    private Map<String, Instant> due() {
        return new TreeMap<>(
                Objects.requireNonNull(
                        stream.client()
                                .sql(
                                        TenantsOf.query(
                                                "behaviour_event",
                                                """
                                                , known AS (
                                                    INSERT INTO lake_tenant (tenant_id)
                                                    SELECT tenant_id FROM tenant t
                                                    WHERE NOT EXISTS (SELECT 1 FROM lake_tenant l WHERE l.tenant_id = t.tenant_id)
                                                    ON CONFLICT DO NOTHING
                                                )
                                                SELECT l.tenant_id, coalesce((SELECT e.received_at FROM behaviour_event e
                                                        WHERE e.tenant_id = l.tenant_id AND e.stored_no > l.flushed_no
                                                        ORDER BY e.stored_no LIMIT 1), now())
                                                FROM tenant t JOIN lake_tenant l ON l.tenant_id = t.tenant_id
                                                WHERE l.flushed_at < now() - interval '1 day'
                                                    OR %s
                                                    OR l.flushed_at <= now() - $1 * interval '1 millisecond' AND (%s OR EXISTS (
                                                        SELECT 1 FROM behaviour_event e
                                                        WHERE e.tenant_id = l.tenant_id AND e.stored_no > l.flushed_no))
                                                    OR EXISTS (SELECT 1 FROM behaviour_event e
                                                        WHERE e.tenant_id = l.tenant_id AND e.stored_no > l.flushed_no
                                                        ORDER BY e.stored_no OFFSET $2 LIMIT 1)\
                                                """
                                                        .formatted(ERASURES_WAIT, STALE)))
                                .bind(0, settings.flushAfter().toMillis())
                                .bind(1, settings.flushRows())
                                .map(row ->
                                        Map.entry(
                                                Objects.requireNonNull(row.get(0, String.class)),
                                                Objects.requireNonNull(row.get(1, Instant.class))))
                                .all()
                                .collectMap(Map.Entry::getKey, Map.Entry::getValue)
                                .block(LIMIT)));
    }

    /** Rows of files that are lost are written anew. */
    private void checkFiles(String tenant) {
        var files = manifest.files(tenant);
        if (files.isEmpty()) {
            return;
        }
        folder.requireFolderOf(tenant);
        var there = folder.files(tenant);
        var lost =
                files.stream()
                        .filter(file -> !there.contains(file.file()))
                        .map(LakeFile::day)
                        .collect(Collectors.toCollection(TreeSet::new));
        if (!lost.isEmpty()) {
            LOG.atWarn()
                    .addKeyValue("tenant_id", tenant)
                    .log("files of {} are lost; the days are written anew", lost);
            manifest.sendBack(tenant, lost);
        }
    }

    /** Writes a batch of new rows; whether there are more. */
    private boolean flush(String tenant) {
        // Before the rows are looked at: what it speaks of is among them.
        var asOf = Objects.requireNonNull(countedUpTo.now().block(LIMIT));
        var at = manifest.boundary(tenant);
        if (at.lastNo() <= at.flushedNo() && !at.stale()) {
            manifest.lookedAfter(tenant, owner);
            return false;
        }
        try (var writer = new LakeWriter(folder, tenant)) {
            long until =
                    manifest.rows(
                            tenant, at.flushedNo(), at.lastNo(), settings.flushRows(), writer::add);
            boolean more = writer.rows() == settings.flushRows();
            if (!more) {
                until = Math.max(at.lastNo(), at.flushedNo());
            }
            var files = writer.flush();
            faults.reached(BEFORE_MANIFEST, tenant);
            if (!manifest.flushed(
                    tenant, owner, at, until, more ? Optional.empty() : Optional.of(asOf), files)) {
                writer.takeBack();
                LOG.info("rows of {} changed while they were written; again later", tenant);
                return false;
            }
            rows.increment(writer.rows());
            faults.reached(AFTER_MANIFEST, tenant);
            return more;
        }
    }

    /** Makes one file of a day's small ones, if they are many; whether it did. */
    private boolean merge(String tenant) {
        long revision = manifest.revision(tenant);
        var small =
                manifest.files(tenant).stream()
                        .filter(file -> file.rows() < SMALL)
                        .collect(Collectors.groupingBy(LakeFile::day));
        var many =
                small.entrySet().stream()
                        .filter(day -> day.getValue().size() >= FILES_OF_DAY)
                        .findFirst();
        return many.isPresent()
                && merge(tenant, revision, many.get().getKey(), many.get().getValue());
    }

    private boolean merge(String tenant, long revision, LocalDate day, List<LakeFile> files) {
        try (var writer = new LakeWriter(folder, tenant)) {
            var merged = writer.merge(day, files);
            faults.reached(BEFORE_MANIFEST, tenant);
            if (!manifest.replace(tenant, owner, revision, files, List.of(merged))) {
                writer.takeBack();
                return false;
            }
        }
        faults.reached(AFTER_MANIFEST, tenant);
        files.forEach(file -> folder.retire(file.file()));
        return true;
    }

    private void removeOthers(String tenant) {
        var kept = manifest.files(tenant).stream().map(LakeFile::file).toList();
        int removed = folder.deleteOthers(tenant, kept, Instant.now().minus(RETIRED));
        if (removed > 0) {
            LOG.atInfo()
                    .addKeyValue("tenant_id", tenant)
                    .log("removed {} files that are not the lake's any more", removed);
        }
    }
}
