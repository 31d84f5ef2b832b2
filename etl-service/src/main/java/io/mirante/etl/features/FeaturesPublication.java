package io.mirante.etl.features;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Publication;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Sends features to {@code mirante.features.user} as they change. */
@Configuration(proxyBeanMethods = false)
final class FeaturesPublication {

    @Bean
    Publication userFeatures() {
        return new Publication(
                "user_feature_state",
                List.of("tenant_id", "user_id"),
                """
                SELECT tenant_id, user_id, person_no, version, population, as_of, revision, features::text AS features
                FROM user_feature_state JOIN user_feature_values USING (tenant_id, user_id) WHERE revision > published_revision
                ORDER BY tenant_id, user_id LIMIT 2000\
                """,
                FeaturesPublication::message);
    }

    private static Outgoing message(Readable row) {
        var numbers = new HashMap<String, Double>();
        var categories = new HashMap<String, String>();
        UserFeatureStates.values(text(row, "features"))
                .forEach((name, value) -> {
                    if (value instanceof Number number) {
                        numbers.put(name, number.doubleValue());
                    } else {
                        categories.put(name, String.valueOf(value));
                    }
                });
        var features =
                new UserFeatures(
                        text(row, "tenant_id"),
                        text(row, "user_id"),
                        Objects.requireNonNull(row.get("person_no", Long.class)),
                        Objects.requireNonNull(row.get("version", Integer.class)),
                        Objects.requireNonNull(row.get("as_of", Instant.class)),
                        Objects.requireNonNull(row.get("revision", Long.class)),
                        numbers,
                        categories,
                        row.get("population", Long.class));
        return new Outgoing(
                Topics.FEATURES_USER.name(),
                null,
                Keys.of(features.tenantId(), features.userId()),
                Json.mapper().writeValueAsBytes(features),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        features.userId() + "@" + features.revision(),
                        CloudHeaders.TYPE,
                        "user_features",
                        CloudHeaders.SOURCE,
                        "/etl",
                        CloudHeaders.SUBJECT,
                        features.userId(),
                        CloudHeaders.TIME,
                        features.asOf().toString(),
                        CloudHeaders.TENANT,
                        features.tenantId(),
                        CloudHeaders.REVISION,
                        Long.toString(features.revision()),
                        CloudHeaders.AS_OF,
                        features.asOf().toString()));
    }

    private static String text(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, String.class), column);
    }
}
