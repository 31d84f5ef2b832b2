package io.mirante.platform.erasure;

import io.mirante.contracts.Json;
import io.mirante.contracts.OfPerson;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.platform.messaging.CompactedTopic;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/**
 * The suppression list: who was erased, as hashes and numbers, from the compacted topic {@code mirante.erasures}. It is in
 * memory whole before a consumer applies its first record, so that neither a replay nor a restored database brings an
 * erased person back. Thread-safe.
 */
public final class Erasures implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Erasures.class);

    private final CompactedTopic topic;
    private final Map<String, OfTenant> tenants = new ConcurrentHashMap<>();

    /** When each person was erased, by hash; and all their numbers. */
    private record OfTenant(Map<String, Instant> users, Set<Long> personNos) {

        OfTenant() {
            this(new ConcurrentHashMap<>(), ConcurrentHashMap.newKeySet());
        }
    }

    /** A list that reads with a consumer of the caller's making. */
    public Erasures(Supplier<Consumer<byte[], byte[]>> consumers) {
        this.topic = new CompactedTopic(Topics.ERASURES.name(), consumers, this::learn);
    }

    /**
     * Whether this is about an erased person.
     *
     * @param userId null = known by number alone
     * @param personNo 0 = none
     * @param knownAt when it became known; what came after the erasure is somebody new's
     */
    public boolean covers(
            String tenantId, @Nullable String userId, long personNo, Instant knownAt) {
        var erased = tenants.get(tenantId);
        if (erased == null) {
            return false;
        }
        if (personNo > 0 && erased.personNos().contains(personNo)) {
            return true;
        }
        if (userId == null) {
            return false;
        }
        var at = erased.users().get(PersonErasure.hash(tenantId, userId));
        return at != null && !knownAt.isAfter(at);
    }

    /** Whether a message is about an erased person. */
    public boolean cover(Object value) {
        return value instanceof OfPerson<?> about
                && covers(about.tenantId(), about.userId(), about.personNo(), about.knownAt());
    }

    /** What is left of a message that is about an erased person; null when nothing is. */
    @SuppressWarnings("unchecked")
    public static <E> @Nullable E withoutPerson(E value) {
        return value instanceof OfPerson<?> about ? (E) about.withoutPerson() : value;
    }

    /** Takes in an erasure at once, ahead of the topic. */
    public void learn(PersonErasure erasure) {
        var at = erasure.erasedAt();
        if (at == null) {
            return;
        }
        var tenant = tenants.computeIfAbsent(erasure.tenantId(), id -> new OfTenant());
        tenant.users().merge(erasure.userHash(), at, (old, one) -> one.isAfter(old) ? one : old);
        tenant.personNos().addAll(erasure.personNos());
    }

    /** Begins to read. */
    public void read() {
        topic.read();
    }

    /** Waits for the first pass over the topic; for threads that may block. */
    public boolean awaitCaughtUp(Duration limit) {
        return topic.awaitCaughtUp(limit);
    }

    @Override
    public void close() {
        topic.close();
    }

    private void learn(ConsumerRecord<byte[], byte[]> record) {
        if (record.value() == null) {
            return;
        }
        try {
            learn(Json.mapper().readValue(record.value(), PersonErasure.class));
        } catch (JacksonException e) {
            LOG.warn(
                    "erasure at offset {} of {} is unreadable: {}",
                    record.offset(),
                    record.topic(),
                    e.getOriginalMessage());
        }
    }
}
