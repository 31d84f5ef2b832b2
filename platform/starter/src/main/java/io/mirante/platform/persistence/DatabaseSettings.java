package io.mirante.platform.persistence;

import java.net.URI;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where the database is and how the two roles reach it.
 *
 * @param url {@code postgresql://host:port/database}, without credentials
 * @param schema the service's schema; the roles are named after it
 * @param appPassword password of {@code <schema>_app}
 * @param streamPassword password of {@code <schema>_stream}
 * @param appPoolSize connections for requests, 1 or more
 * @param streamPoolSize connections for consumers and publishers, 1 or more
 * @param statementTimeout after which PostgreSQL cancels a statement of a request
 * @param streamStatementTimeout the same for consumers
 */
@ConfigurationProperties("mirante.database")
public record DatabaseSettings(
        URI url,
        String schema,
        String appPassword,
        String streamPassword,
        @DefaultValue("8") int appPoolSize,
        @DefaultValue("6") int streamPoolSize,
        @DefaultValue("30s") Duration statementTimeout,
        @DefaultValue("60s") Duration streamStatementTimeout) {

    public DatabaseSettings {
        if (url.getHost() == null || url.getPath() == null || url.getPath().length() < 2) {
            throw new IllegalArgumentException(
                    "mirante.database.url (DB_URL) must look like postgresql://host:port/database");
        }
        if (!(appPoolSize >= 1 && streamPoolSize >= 1)) {
            throw new IllegalArgumentException(
                    "mirante.database pool sizes must be at least 1, were %d and %d"
                            .formatted(appPoolSize, streamPoolSize));
        }
    }

    int port() {
        return url.getPort() < 0 ? 5432 : url.getPort();
    }

    String database() {
        return url.getPath().substring(1);
    }
}
