package io.mirante.platform.persistence;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import java.time.Duration;
import java.util.Map;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.r2dbc.connection.R2dbcTransactionManager;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.transaction.reactive.TransactionalOperator;
import reactor.core.publisher.Mono;
import reactor.netty.resources.LoopResources;

/** The two connection pools of a service, one per role, and what is built on them. */
@AutoConfiguration
@ConditionalOnProperty("mirante.database.url")
@EnableConfigurationProperties(DatabaseSettings.class)
public class PersistenceAutoConfiguration {

    private static final Duration ACQUIRE = Duration.ofSeconds(5);

    /** Own event loops, not colocated: else a pool may end up on one loop. */
    @Bean(destroyMethod = "dispose")
    LoopResources databaseLoops() {
        return LoopResources.create(
                "database",
                1,
                Math.max(2, Runtime.getRuntime().availableProcessors()),
                true,
                false);
    }

    @Bean(destroyMethod = "dispose")
    ConnectionPool appPool(DatabaseSettings settings, LoopResources databaseLoops) {
        return pool(
                settings,
                databaseLoops,
                "app",
                settings.appPassword(),
                settings.appPoolSize(),
                settings.statementTimeout());
    }

    @Bean(destroyMethod = "dispose")
    ConnectionPool streamPool(DatabaseSettings settings, LoopResources databaseLoops) {
        return pool(
                settings,
                databaseLoops,
                "stream",
                settings.streamPassword(),
                settings.streamPoolSize(),
                settings.streamStatementTimeout());
    }

    @Bean
    TenantDatabase tenantDatabase(@Qualifier("appPool") ConnectionPool pool) {
        return new TenantDatabase(DatabaseClient.create(pool), transaction(pool));
    }

    @Bean
    StreamDatabase streamDatabase(@Qualifier("streamPool") ConnectionPool pool) {
        return new StreamDatabase(DatabaseClient.create(pool), transaction(pool));
    }

    @Bean
    ReactiveHealthIndicator databaseHealthIndicator(
            @Qualifier("appPool") ConnectionPool app,
            @Qualifier("streamPool") ConnectionPool stream) {
        return () ->
                answers(app)
                        .then(answers(stream))
                        .thenReturn(Health.up().build())
                        .timeout(Duration.ofSeconds(2))
                        .onErrorResume(e ->
                                Mono.just(
                                        Health.down()
                                                .withDetail(
                                                        "reason",
                                                        "PostgreSQL does not answer: "
                                                                + e.getMessage())
                                                .build()));
    }

    /** Asks for no row: the driver does not release one that comes when nobody waits for it any more. */
    private static Mono<Void> answers(ConnectionPool pool) {
        return DatabaseClient.create(pool).sql("SELECT 1 WHERE false").then();
    }

    private static TransactionalOperator transaction(ConnectionPool pool) {
        return TransactionalOperator.create(new R2dbcTransactionManager(pool));
    }

    private static ConnectionPool pool(
            DatabaseSettings settings,
            LoopResources loops,
            String role,
            String password,
            int size,
            Duration statementTimeout) {
        var factory =
                new PostgresqlConnectionFactory(
                        PostgresqlConnectionConfiguration.builder()
                                .host(settings.url().getHost())
                                .port(settings.port())
                                .database(settings.database())
                                .schema(settings.schema())
                                .username(settings.schema() + "_" + role)
                                .password(password)
                                .applicationName(settings.schema() + "-" + role)
                                .connectTimeout(ACQUIRE)
                                .loopResources(loops)
                                .codecRegistrar(new BinaryArrays())
                                .options(
                                        Map.of(
                                                "statement_timeout",
                                                Long.toString(statementTimeout.toMillis()),
                                                // What a replica that hangs has locked, others
                                                // need.
                                                "idle_in_transaction_session_timeout",
                                                Long.toString(statementTimeout.toMillis()),
                                                // Cached plans expect ten elements of an array that
                                                // has thousands.
                                                "plan_cache_mode",
                                                "force_custom_plan",
                                                "lock_timeout",
                                                "15000",
                                                "TimeZone",
                                                "UTC"))
                                .build());
        return new ConnectionPool(
                ConnectionPoolConfiguration.builder(factory)
                        .name(role)
                        .initialSize(0)
                        .minIdle(0)
                        .maxSize(size)
                        .maxIdleTime(Duration.ofMinutes(2))
                        .maxAcquireTime(ACQUIRE)
                        .validationQuery("SELECT 1")
                        .build());
    }
}
