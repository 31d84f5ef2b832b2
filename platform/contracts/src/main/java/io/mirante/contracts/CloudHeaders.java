package io.mirante.contracts;

/**
 * Kafka header names of a CloudEvent in binary mode, plus Mirante's extensions. Values are UTF-8 text; times are RFC
 * 3339 in UTC.
 */
public final class CloudHeaders {

    public static final String SPEC_VERSION = "ce_specversion";
    public static final String ID = "ce_id";
    public static final String TYPE = "ce_type";
    public static final String SOURCE = "ce_source";
    public static final String TIME = "ce_time";
    public static final String SUBJECT = "ce_subject";
    public static final String TENANT = "ce_tenantid";
    public static final String SCHEMA_VERSION = "ce_schemaversion";

    /** Hex SHA-256 of the event's content; see {@code CanonicalEvent#contentHash()}. */
    public static final String CONTENT_HASH = "ce_contenthash";

    /** When ingestion accepted the event. */
    public static final String RECEIVED_AT = "ce_receivedat";

    /** The person's number within the tenant, 1 or more; absent on events without a person. */
    public static final String PERSON_NO = "ce_personno";

    /** Where the record came from: topic, partition and offset, so that a second copy is recognised. */
    public static final String SOURCE_TOPIC = "ce_sourcetopic";

    public static final String SOURCE_PARTITION = "ce_sourcepartition";
    public static final String SOURCE_OFFSET = "ce_sourceoffset";

    /** For which rebuild a record of {@code mirante.events.replay} was sent. */
    public static final String REBUILD_ID = "ce_rebuildid";

    /** Revision of the state a record carries, rising per key. */
    public static final String REVISION = "ce_revision";

    /** Up to when the input of a derived value was complete. */
    public static final String AS_OF = "ce_asof";

    /** Why a record is on a dead-letter topic: a short code and a sentence. */
    public static final String REASON = "ce_reason";

    public static final String REASON_DETAIL = "ce_reasondetail";

    private CloudHeaders() {}
}
