package io.mirante.contracts;

import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Every topic of the mesh, in one place: name, partitions, retention or compaction. Who writes and who reads each is in
 * docs/events.md. Created by the set-up step before the services start; services never create topics.
 */
public final class Topics {

    /** Partitions of every topic that carries load; a key stays on one partition number across raw and clean. */
    public static final int PARTITIONS = 12;

    private static final Duration EVENTS = Duration.ofDays(7);
    private static final Duration SHORT = Duration.ofDays(3);
    private static final Duration DEAD = Duration.ofDays(14);

    public static final Topic EVENTS_RAW =
            Topic.appendTime("mirante.events.raw", PARTITIONS, EVENTS);
    public static final Topic EVENTS_CRITICAL =
            Topic.appendTime("mirante.events.critical", PARTITIONS, EVENTS);
    public static final Topic EVENTS_REJECTED = Topic.kept("mirante.events.rejected", 4, DEAD);
    public static final Topic EVENTS_CLEAN = Topic.kept("mirante.events.clean", PARTITIONS, EVENTS);

    /** Events of the log once more, for the one who rebuilds what follows from them. */
    public static final Topic EVENTS_REPLAY =
            Topic.kept("mirante.events.replay", PARTITIONS, SHORT);

    public static final Topic PROGRESS = Topic.kept("mirante.progress", 1, Duration.ofHours(6));
    public static final Topic FEATURES_USER = Topic.compacted("mirante.features.user", PARTITIONS);
    public static final Topic IDENTITIES = Topic.compacted("mirante.identities", PARTITIONS);

    /** Ends of runs, with what they found of the data's quality. */
    public static final Topic QUALITY = Topic.kept("mirante.quality", 4, EVENTS);

    public static final Topic CLUSTERS = Topic.compacted("mirante.clusters", PARTITIONS);
    public static final Topic PREDICTIONS = Topic.compacted("mirante.predictions", PARTITIONS);
    public static final Topic TELEMETRY_RAW =
            Topic.appendTime("mirante.telemetry.raw", PARTITIONS, SHORT);
    public static final Topic TELEMETRY_STATE =
            Topic.kept("mirante.telemetry.state", PARTITIONS, SHORT);
    public static final Topic SNAPSHOTS = Topic.compacted("mirante.snapshots", PARTITIONS);

    /** How far the lake holds each tenant's events. */
    public static final Topic LAKE = Topic.compacted("mirante.lake", 1);

    public static final Topic ALERTS = Topic.kept("mirante.alerts", 4, EVENTS);
    public static final Topic TENANTS = Topic.compacted("mirante.tenants", 1);

    /** Who was erased: the order to erase, then the suppression list. */
    public static final Topic ERASURES = Topic.compacted("mirante.erasures", 1);

    public static final Topic ERASURES_DONE = Topic.kept("mirante.erasures.done", 1, EVENTS);
    public static final Topic AUDIT = Topic.kept("mirante.audit", 4, EVENTS);

    /** Begins the name of each topic that a tenant's own producers write to; the tenant's id follows. */
    public static final String INGEST_PREFIX = "mirante.ingest.";

    /** Of a topic for outside producers. */
    private static final int INGEST_PARTITIONS = 4;

    private static final Pattern INGEST_TENANT = Pattern.compile("[A-Za-z0-9._-]{1,200}");

    private static final List<String> SERVICES =
            List.of(
                    "gateway",
                    "ingestion",
                    "etl",
                    "segmentation",
                    "churn",
                    "industry40",
                    "snapshot",
                    "alert");

    private static final List<Topic> ALL =
            Stream.concat(
                            Stream.of(
                                    EVENTS_RAW,
                                    EVENTS_CRITICAL,
                                    EVENTS_REJECTED,
                                    EVENTS_CLEAN,
                                    EVENTS_REPLAY,
                                    PROGRESS,
                                    FEATURES_USER,
                                    IDENTITIES,
                                    QUALITY,
                                    CLUSTERS,
                                    PREDICTIONS,
                                    TELEMETRY_RAW,
                                    TELEMETRY_STATE,
                                    SNAPSHOTS,
                                    LAKE,
                                    ALERTS,
                                    TENANTS,
                                    ERASURES,
                                    ERASURES_DONE,
                                    AUDIT),
                            SERVICES.stream().map(Topics::dead))
                    .toList();

    private Topics() {}

    /** All topics, dead-letter topics included. */
    public static List<Topic> all() {
        return ALL;
    }

    /** The eight services by their short names, in the order of the flow. */
    public static List<String> services() {
        return SERVICES;
    }

    /**
     * The topic that a tenant's own producers write to.
     *
     * @throws IllegalArgumentException when Kafka allows no topic of that name
     */
    public static Topic ingest(String tenant) {
        if (!INGEST_TENANT.matcher(tenant).matches()) {
            throw new IllegalArgumentException(
                    "a tenant's topic needs an id of letters, digits, dots, dashes and underscores, was "
                            + tenant);
        }
        return Topic.kept(INGEST_PREFIX + tenant, INGEST_PARTITIONS, SHORT);
    }

    /** The tenant whose topic this is; {@link IllegalArgumentException} when it is no such topic. */
    public static String tenantOfIngest(String topic) {
        if (!topic.startsWith(INGEST_PREFIX) || topic.length() == INGEST_PREFIX.length()) {
            throw new IllegalArgumentException(topic + " is no topic of a tenant's producers");
        }
        return topic.substring(INGEST_PREFIX.length());
    }

    /**
     * Where a service puts the records it cannot process.
     *
     * @param service short name, such as {@code etl}
     */
    public static Topic dead(String service) {
        return Topic.kept("mirante." + service + ".dead", 1, DEAD);
    }
}
