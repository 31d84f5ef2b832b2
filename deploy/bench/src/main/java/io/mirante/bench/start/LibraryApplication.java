package io.mirante.bench.start;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.web.server.SecurityWebFilterChain;

/**
 * The least application that has what every service is to have: a topic read through Spring Cloud Stream, a pool of
 * connections to PostgreSQL, Spring Security, metrics, OpenAPI, structured logs and a management port of its own, each as Spring
 * Boot configures it. It does nothing with any of them.
 */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class LibraryApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(LibraryApplication.class, arguments);
    }

    @Bean
    Consumer<List<byte[]>> discard() {
        return records -> {};
    }

    @Bean
    SecurityWebFilterChain open(ServerHttpSecurity http) {
        return http.csrf(csrf -> csrf.disable())
                .authorizeExchange(exchange -> exchange.anyExchange().permitAll())
                .build();
    }

    @Bean
    ConnectionFactory connections(Environment environment) {
        return new ConnectionPool(
                ConnectionPoolConfiguration.builder(
                                ConnectionFactories.get(
                                        environment.getRequiredProperty("probe.database")))
                        .build());
    }

    @Bean
    DatabaseClient databaseClient(ConnectionFactory connections) {
        return DatabaseClient.create(connections);
    }

    @Bean
    ReactiveHealthIndicator database(DatabaseClient client) {
        return () -> client.sql("select 1").fetch().one().thenReturn(Health.up().build());
    }
}
