package io.mirante.platform.messaging;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.kafka.support.converter.BatchMessagingMessageConverter;
import org.springframework.messaging.Message;
import org.springframework.messaging.support.MessageBuilder;

/**
 * Hands a poll over as it is: the values as bytes, the records in {@link KafkaHeaders#RAW_DATA}, the consumer in {@link
 * KafkaHeaders#CONSUMER}. Converts nothing, so it can drop nothing.
 */
final class RawPollConverter extends BatchMessagingMessageConverter {

    private static final byte[] TOMBSTONE = {};

    @Override
    public Message<?> toMessage(
            List<ConsumerRecord<?, ?>> records,
            @Nullable Acknowledgment acknowledgment,
            @Nullable Consumer<?, ?> consumer,
            java.lang.reflect.Type type) {
        var values = new ArrayList<byte[]>(records.size());
        for (var record : records) {
            values.add(record.value() instanceof byte[] value ? value : TOMBSTONE);
        }
        var message = MessageBuilder.withPayload(values).setHeader(KafkaHeaders.RAW_DATA, records);
        if (consumer != null) {
            message.setHeader(KafkaHeaders.CONSUMER, consumer);
        }
        return message.build();
    }
}
