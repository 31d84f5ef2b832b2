package io.mirante.etl.log;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.PoisonException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Reads the records of the raw topics. Ingestion alone writes them and has checked what it wrote; whatever else turns up
 * is poison here, so that PostgreSQL never refuses a poll because of one record. Thread-safe.
 */
final class RawEvents implements Parser<RawEvent> {

    static final String IDENTIFY = "identify";
    static final String ALIAS = "alias";

    private static final int HASH_LENGTH = 64;
    private static final Instant FIRST = Instant.EPOCH;
    private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

    /** Longest id that still fits into an index entry of PostgreSQL together with the tenant, in characters. */
    static final int MAX_ID = 400;

    private final BlockedIds blocked;

    RawEvents(BlockedIds blocked) {
        this.blocked = blocked;
    }

    @Override
    public RawEvent parse(byte[] value, Headers headers) throws PoisonException {
        var tenant = headers.require(CloudHeaders.TENANT);
        var hash = headers.require(CloudHeaders.CONTENT_HASH);
        if (!isSha256(hash)) {
            throw new PoisonException(
                    "bad_header", CloudHeaders.CONTENT_HASH + " must be 64 hexadecimal digits");
        }
        var source = Objects.requireNonNullElse(headers.get(CloudHeaders.SOURCE), "");
        var given = event(value);
        id(CloudHeaders.TENANT, tenant);
        id("event_id", given.eventId());
        id("event_type", given.eventType());
        id("module", given.module());
        optionalId("user_id", given.userId());
        optionalId("anonymous_id", given.anonymousId());
        optionalId("session_id", given.sessionId());
        storable(CloudHeaders.SOURCE, StorableText.fault(source));
        storable("data", StorableText.fault(given.data()));
        storable("metadata", StorableText.fault(given.metadata()));
        storable("context", StorableText.fault(given.context()));
        var timestampAsGiven = given.timestampAsGiven();
        if (timestampAsGiven != null) {
            storable("timestamp_as_given", StorableText.fault(timestampAsGiven));
        }
        var event = blocked.without(given);
        return new RawEvent(
                tenant,
                hash,
                receivedAt(headers.require(CloudHeaders.RECEIVED_AT)),
                source,
                event,
                given,
                visitor(tenant, event));
    }

    /** What identify and alias say; what cannot be an id says nothing. */
    @Nullable Person visitor(String tenant, CanonicalEvent event) {
        if (event.userId() == null) {
            return null;
        }
        var id =
                switch (event.eventType()) {
                    case IDENTIFY -> event.anonymousId();
                    case ALIAS -> previousId(event.data().path("previous_id"));
                    default -> null;
                };
        return id == null ? null : new Person(tenant, Person.ANONYMOUS, id);
    }

    private @Nullable String previousId(JsonNode given) {
        if (!given.isString() && !given.isIntegralNumber()) {
            return null;
        }
        var id = given.asString();
        return id.length() <= MAX_ID
                        && id.chars().noneMatch(Character::isISOControl)
                        && !blocked.contains(id)
                ? id
                : null;
    }

    private static CanonicalEvent event(byte[] value) throws PoisonException {
        JsonNode tree;
        try {
            tree = Json.mapper().readTree(value);
        } catch (JacksonException e) {
            throw new PoisonException("bad_json", Json.reason(e));
        }
        try {
            return CanonicalEvent.fromTree(tree);
        } catch (IllegalArgumentException e) {
            throw new PoisonException("bad_event", String.valueOf(e.getMessage()));
        }
    }

    private static Instant receivedAt(String text) throws PoisonException {
        try {
            var time = Instant.parse(text).truncatedTo(ChronoUnit.MICROS);
            if (!time.isBefore(FIRST) && !time.isAfter(LAST)) {
                return time;
            }
        } catch (DateTimeException e) {
            // the same answer as a time out of range
        }
        throw new PoisonException(
                "bad_header",
                CloudHeaders.RECEIVED_AT + " must be an RFC 3339 time from 1970 to 9999");
    }

    /** A pattern takes a tenth of the time of parsing a record. */
    private static boolean isSha256(String hash) {
        if (hash.length() != HASH_LENGTH) {
            return false;
        }
        for (int i = 0; i < HASH_LENGTH; i++) {
            char c = hash.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }

    private static void optionalId(String name, @Nullable String id) throws PoisonException {
        if (id != null) {
            id(name, id);
        }
    }

    private static void id(String name, String id) throws PoisonException {
        if (!(id.length() <= MAX_ID)) {
            throw new PoisonException(
                    "bad_event",
                    "%s must have at most %d characters, had %d"
                            .formatted(name, MAX_ID, id.length()));
        }
        storable(name, StorableText.fault(id));
    }

    private static void storable(String name, @Nullable String fault) throws PoisonException {
        if (fault != null) {
            throw new PoisonException("bad_event", name + " " + fault);
        }
    }
}
