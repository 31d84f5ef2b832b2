package io.mirante.segmentation.clustering;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.contracts.segmentation.UserCluster;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.PoisonException;
import io.mirante.platform.messaging.Publication;
import io.mirante.segmentation.Rows;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;

/** Where features come in and places go out. */
@Configuration(proxyBeanMethods = false)
class ClusterBinding {

    private static final Parser<UserFeatures> JSON = Parser.json(UserFeatures.class);

    @Bean
    Consumer<Message<List<byte[]>>> keepFeatures(BatchRunner runner, AssignClusters handler) {
        return runner.storing("keepFeatures", ClusterBinding::parse, handler::store);
    }

    @Bean
    Publication clusterPublication() {
        return new Publication(
                "user_cluster",
                List.of("tenant_id", "user_id"),
                "SELECT tenant_id, user_id, model_id, cluster, label, distance, as_of, revision FROM user_cluster WHERE revision > published_revision ORDER BY tenant_id, user_id LIMIT 1000",
                ClusterBinding::outgoing);
    }

    @SuppressWarnings("ConstantConditions") // Jackson leaves null where a field is missing
    private static UserFeatures parse(byte[] value, Headers headers) throws PoisonException {
        var features = JSON.parse(value, headers);
        if (isEmpty(features.tenantId()) || isEmpty(features.userId()) || features.asOf() == null) {
            throw new PoisonException(
                    "missing_field", "tenant_id, user_id and as_of must be there");
        }
        return features;
    }

    private static boolean isEmpty(@Nullable String text) {
        return text == null || text.isEmpty();
    }

    private static Outgoing outgoing(Readable row) {
        var tenant = Rows.text(row, "tenant_id");
        var user = Rows.text(row, "user_id");
        var asOf = Rows.value(row, "as_of", Instant.class);
        long revision = Rows.value(row, "revision", Long.class);
        var place =
                new UserCluster(
                        tenant,
                        user,
                        Rows.text(row, "model_id"),
                        Rows.value(row, "cluster", Integer.class),
                        Rows.text(row, "label"),
                        Rows.value(row, "distance", Double.class),
                        asOf,
                        revision);
        return new Outgoing(
                Topics.CLUSTERS.name(),
                null,
                Keys.of(tenant, user),
                Json.mapper().writeValueAsBytes(place),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        place.modelId() + "/" + user + "/" + revision,
                        CloudHeaders.TYPE,
                        "user_cluster",
                        CloudHeaders.SOURCE,
                        "/segmentation-service",
                        CloudHeaders.TIME,
                        asOf.toString(),
                        CloudHeaders.SUBJECT,
                        user,
                        CloudHeaders.TENANT,
                        tenant,
                        CloudHeaders.REVISION,
                        Long.toString(revision),
                        CloudHeaders.AS_OF,
                        asOf.toString()));
    }
}
