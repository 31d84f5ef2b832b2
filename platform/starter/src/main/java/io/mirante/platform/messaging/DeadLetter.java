package io.mirante.platform.messaging;

import io.mirante.contracts.CloudHeaders;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Base64;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * A letter as it stands on a dead-letter topic.
 *
 * @param offset its own, on the dead-letter topic
 * @param deadAt when it was written
 * @param read where the record was read that could not be processed
 * @param consumer whose record it was; null in letters that do not say
 * @param tenantId null when the record named none
 * @param record the record as it was
 */
record DeadLetter(
        long offset,
        Instant deadAt,
        Position read,
        @Nullable String consumer,
        @Nullable String tenantId,
        @Nullable String eventType,
        String reason,
        String detail,
        ConsumerRecord<byte[], byte[]> record) {

    static final String CONSUMER = "deadletter_consumer";
    static final String TOPIC = "deadletter_topic";
    static final String PARTITION = "deadletter_partition";
    static final String OFFSET = "deadletter_offset";

    /** The record's time in Kafka. */
    static final String TIME = "deadletter_time";

    /** The record's key in base64; absent when it had none. */
    static final String KEY = "deadletter_key";

    private static final String PREFIX = "deadletter_";
    private static final Pattern ID = Pattern.compile("[^:@]+-\\d{1,9}@\\d{1,18}:(\\d{1,18})");

    /** Reads a letter; empty when the record is none. */
    static Optional<DeadLetter> of(ConsumerRecord<byte[], byte[]> letter) {
        var headers = new Headers(letter.headers());
        var topic = headers.get(TOPIC);
        var partition = headers.get(PARTITION);
        var offset = headers.get(OFFSET);
        if (topic == null || partition == null || offset == null) {
            return Optional.empty();
        }
        Position read;
        try {
            read = new Position(topic, Integer.parseInt(partition), Long.parseLong(offset));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
        return Optional.of(
                new DeadLetter(
                        letter.offset(),
                        Instant.ofEpochMilli(letter.timestamp()),
                        read,
                        headers.get(CONSUMER),
                        headers.get(CloudHeaders.TENANT),
                        headers.get(CloudHeaders.TYPE),
                        Objects.requireNonNullElse(headers.get(CloudHeaders.REASON), ""),
                        Objects.requireNonNullElse(headers.get(CloudHeaders.REASON_DETAIL), ""),
                        original(letter, headers, read)));
    }

    /** Names this letter: where the record was read, and the letter's own offset. */
    String id() {
        return "%s-%d@%d:%d".formatted(read.topic(), read.partition(), read.offset(), offset);
    }

    /** The letter's own offset in an id; empty when the text is no id. */
    static Optional<Long> offsetOf(String id) {
        var matcher = ID.matcher(id);
        return matcher.matches() ? Optional.of(Long.valueOf(matcher.group(1))) : Optional.empty();
    }

    /** Where the record first stood: at its source, when it names one; a second copy stands at the same place. */
    Position origin() {
        return BatchRunner.originOf(record);
    }

    private static ConsumerRecord<byte[], byte[]> original(
            ConsumerRecord<byte[], byte[]> letter, Headers headers, Position read) {
        var kept = new RecordHeaders();
        letter.headers()
                .forEach(h -> {
                    if (!h.key().startsWith(PREFIX)
                            && !h.key().equals(CloudHeaders.REASON)
                            && !h.key().equals(CloudHeaders.REASON_DETAIL)) {
                        kept.add(h);
                    }
                });
        return new ConsumerRecord<>(
                read.topic(),
                read.partition(),
                read.offset(),
                time(headers.get(TIME), letter.timestamp()),
                TimestampType.CREATE_TIME,
                ConsumerRecord.NULL_SIZE,
                ConsumerRecord.NULL_SIZE,
                key(headers.get(KEY), letter.key()),
                letter.value(),
                kept,
                Optional.empty());
    }

    private static long time(@Nullable String text, long otherwise) {
        if (text == null) {
            return otherwise;
        }
        try {
            return Instant.parse(text).toEpochMilli();
        } catch (DateTimeParseException e) {
            return otherwise;
        }
    }

    private static byte[] key(@Nullable String base64, byte[] otherwise) {
        if (base64 == null) {
            return otherwise;
        }
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            return otherwise;
        }
    }
}
