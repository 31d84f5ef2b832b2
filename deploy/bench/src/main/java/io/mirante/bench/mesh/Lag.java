package io.mirante.bench.mesh;

import io.mirante.bench.client.MeshException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsResult;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/** Records that consumer groups have still to read. */
public final class Lag implements AutoCloseable {
    private static final long LIMIT_SECONDS = 30;

    private final Admin admin;

    /** Of a broker at host:port. */
    public Lag(String servers) {
        this.admin =
                Admin.create(
                        Map.<String, Object>of(
                                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, servers));
    }

    /**
     * By group, summed over its partitions. The end of a transaction takes an offset of its own, so one record behind is none.
     */
    public Map<String, Long> byGroup() throws InterruptedException {
        Map<String, Map<TopicPartition, OffsetAndMetadata>> read = new TreeMap<>();
        Set<TopicPartition> partitions = new HashSet<>();
        for (GroupListing group : groups()) {
            Map<TopicPartition, OffsetAndMetadata> offsets =
                    get(
                            admin.listConsumerGroupOffsets(group.groupId()),
                            ListConsumerGroupOffsetsResult::partitionsToOffsetAndMetadata);
            read.put(group.groupId(), offsets);
            partitions.addAll(offsets.keySet());
        }
        var ends =
                get(
                        admin.listOffsets(
                                partitions.stream()
                                        .collect(
                                                Collectors.toMap(
                                                        Function.identity(),
                                                        ignored -> OffsetSpec.latest()))),
                        result -> result.all());
        Map<String, Long> lags = new HashMap<>();
        read.forEach((group, offsets) -> {
            long sum = 0;
            for (var each : offsets.entrySet()) {
                var end = ends.get(each.getKey());
                if (each.getValue() != null && end != null) {
                    long behind = end.offset() - each.getValue().offset();
                    sum += behind > 1 ? behind : 0;
                }
            }
            lags.put(group, sum);
        });
        return lags;
    }

    /** Records of a topic that a group has read since it was made; of one whose offsets begin at 0. */
    public long read(String group, String topic) throws InterruptedException {
        return get(
                        admin.listConsumerGroupOffsets(group),
                        ListConsumerGroupOffsetsResult::partitionsToOffsetAndMetadata)
                .entrySet()
                .stream()
                .filter(each -> each.getKey().topic().equals(topic) && each.getValue() != null)
                .mapToLong(each -> each.getValue().offset())
                .sum();
    }

    private Collection<GroupListing> groups() throws InterruptedException {
        return get(admin.listGroups(ListGroupsOptions.forConsumerGroups()), result -> result.all());
    }

    private static <R, T> T get(R result, Function<R, KafkaFuture<T>> future)
            throws InterruptedException {
        try {
            return future.apply(result).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new MeshException("Kafka does not say how far its consumers are: " + e, e);
        }
    }

    @Override
    public void close() {
        admin.close();
    }
}
