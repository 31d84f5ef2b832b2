package io.mirante.platform.tenants;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.platform.messaging.CompactedTopic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import tools.jackson.core.JacksonException;

/**
 * Every tenant's settings, from the compacted topic {@code mirante.tenants}: read from the beginning without a group, so
 * each replica has all of them, and followed, so a change is here well within five seconds. While Kafka is away, what was
 * known stays.
 *
 * <p>The service's start waits up to ten seconds for the first pass to the topic's end; consumers wait for it however
 * long it takes, and readiness is down until then, so that nothing is counted by defaults that were not the tenant's.
 * Whoever accepts data by other ways asks {@link #caughtUp()}. Thread-safe.
 */
public final class Tenants implements SmartLifecycle, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Tenants.class);
    private static final Duration START = Duration.ofSeconds(10);
    private static final int MAX_UNKNOWN = 10_000;

    private final CompactedTopic topic;
    private final Map<String, TenantSettings> known = new ConcurrentHashMap<>();
    private final Map<String, TenantSettings> unknown = new ConcurrentHashMap<>();
    private volatile boolean running;

    /** A view that reads with a consumer of the caller's making. */
    public Tenants(Supplier<Consumer<byte[], byte[]>> consumers) {
        this.topic = new CompactedTopic(Topics.TENANTS.name(), consumers, this::learn);
    }

    /** The tenant's settings; {@link TenantSettings#defaults} for one this view has not heard of. Never blocks. */
    public TenantSettings settings(String tenantId) {
        var settings = known.get(tenantId);
        if (settings != null) {
            return settings;
        }
        if (unknown.size() > MAX_UNKNOWN) {
            unknown.clear();
        }
        return unknown.computeIfAbsent(tenantId, TenantSettings::defaults);
    }

    /** Whether settings of this tenant were published. */
    public boolean knows(String tenantId) {
        return known.containsKey(tenantId);
    }

    /** All tenants whose settings were published, in no order. */
    public List<TenantSettings> all() {
        return List.copyOf(known.values());
    }

    /** Whether the topic was read to its end once since the start: {@link #settings} is to be relied on. */
    public boolean caughtUp() {
        return topic.caughtUp();
    }

    /** Waits for the first pass; for threads that may block. False when the limit or an interrupt came first. */
    public boolean awaitCaughtUp(Duration limit) {
        return topic.awaitCaughtUp(limit);
    }

    /** Takes in one record; an older revision than the known one changes nothing. */
    void learn(ConsumerRecord<byte[], byte[]> record) {
        if (record.key() == null) {
            return;
        }
        var tenant = new String(record.key(), StandardCharsets.UTF_8);
        if (record.value() == null) {
            known.remove(tenant);
            return;
        }
        try {
            var settings = Json.mapper().readValue(record.value(), TenantSettings.class);
            known.merge(
                    settings.id(),
                    settings,
                    (old, one) -> one.revision() >= old.revision() ? one : old);
        } catch (JacksonException e) {
            LOG.warn(
                    "settings of tenant {} at offset {} are unreadable, what was known stays: {}",
                    tenant,
                    record.offset(),
                    e.getOriginalMessage());
        }
    }

    /** Begins to read; {@link #start()} waits for the first pass. */
    public void read() {
        topic.read();
    }

    @Override
    public void start() {
        read();
        if (!awaitCaughtUp(START)) {
            LOG.warn(
                    "{} could not be read within {} s; consumers wait for it",
                    Topics.TENANTS.name(),
                    START.toSeconds());
        }
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        close();
    }

    @Override
    public void close() {
        topic.close();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** Before consumers and the web server. */
    @Override
    public int getPhase() {
        return 0;
    }
}
