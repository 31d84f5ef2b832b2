package io.mirante.setup;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * Brings one service's schema up to date: its two roles (which own nothing), the schema, the tables every service has
 * ({@code db/platform}) and the service's own ({@code db/migration}).
 */
public final class Migrator {

    private static final Pattern SERVICE = Pattern.compile("[a-z][a-z0-9_]{1,30}");
    private static final String PLATFORM = "classpath:db/platform";
    private static final String OWN = "classpath:db/migration";

    /** The platform's migrations have versions below it. */
    private static final MigrationVersion FIRST_OWN = MigrationVersion.fromVersion("1");

    private Migrator() {}

    /**
     * Runs the migrations that have not run yet.
     *
     * @param databaseUrl the owner's, {@code postgresql://owner:password@host:port/database}
     * @param service short name, such as {@code etl}; also the schema's name
     * @param appPassword password of the role {@code <service>_app}
     * @param streamPassword password of the role {@code <service>_stream}
     * @param migrations class loader that holds the service's {@code db/migration}
     * @throws IllegalStateException when the database refuses
     */
    public static void migrate(
            String databaseUrl,
            String service,
            String appPassword,
            String streamPassword,
            ClassLoader migrations) {
        try {
            migrate(
                    DatabaseUrl.parse(databaseUrl),
                    service,
                    appPassword,
                    streamPassword,
                    migrations,
                    null);
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "cannot prepare schema " + service + ": " + e.getMessage(), e);
        }
    }

    /**
     * The same, with the service's migrations at a location that must exist; null: {@code db/migration}, if it exists.
     *
     * @return how many migrations ran
     * @throws SQLException when roles and schema cannot be made
     * @throws org.flywaydb.core.api.FlywayException when a migration fails, or is not the one that ran before
     */
    static int migrate(
            DatabaseUrl url,
            String service,
            String appPassword,
            String streamPassword,
            ClassLoader migrations,
            @Nullable String location)
            throws SQLException {
        prepare(url, service, appPassword, streamPassword);
        return flyway(url, service, migrations)
                .locations(PLATFORM, location == null ? OWN : location)
                .failOnMissingLocations(location != null)
                .load()
                .migrate()
                .migrationsExecuted;
    }

    /**
     * Runs those of the given migrations that have not run yet, and no others: the schema as an earlier version left it. A later
     * {@link #migrate} goes on from there.
     *
     * @param versions as Flyway's history has them, such as {@code 0.3} and {@code 002}; of {@code db/platform} and of the service
     *     each up to some version, all of which exist
     * @throws IllegalStateException when the database refuses
     */
    public static void migrateOnly(
            String databaseUrl,
            String service,
            String appPassword,
            String streamPassword,
            ClassLoader migrations,
            Collection<String> versions) {
        try {
            migrateOnly(
                    DatabaseUrl.parse(databaseUrl),
                    service,
                    appPassword,
                    streamPassword,
                    migrations,
                    OWN,
                    versions);
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "cannot prepare schema " + service + ": " + e.getMessage(), e);
        }
    }

    static void migrateOnly(
            DatabaseUrl url,
            String service,
            String appPassword,
            String streamPassword,
            ClassLoader migrations,
            String location,
            Collection<String> versions)
            throws SQLException {
        prepare(url, service, appPassword, streamPassword);
        // One target would not do: a migration of the platform may be younger than the service's
        // last one, and has a lower version.
        Map<Boolean, Optional<MigrationVersion>> last =
                versions.stream()
                        .map(MigrationVersion::fromVersion)
                        .collect(
                                Collectors.partitioningBy(
                                        version -> version.compareTo(FIRST_OWN) < 0,
                                        Collectors.maxBy(Comparator.naturalOrder())));
        for (boolean platform : new boolean[] {true, false}) {
            last.getOrDefault(platform, Optional.empty())
                    .ifPresent(target ->
                            flyway(url, service, migrations)
                                    .locations(platform ? PLATFORM : location)
                                    // What ran from the other location looks as if it were missing.
                                    .ignoreMigrationPatterns("*:missing", "*:future")
                                    .target(target)
                                    .load()
                                    .migrate());
        }
    }

    private static FluentConfiguration flyway(
            DatabaseUrl url, String service, ClassLoader migrations) {
        return Flyway.configure(migrations)
                .dataSource(url.jdbc(), url.user(), url.password())
                .schemas(service)
                .defaultSchema(service)
                .placeholders(
                        Map.of(
                                "service", service,
                                "app", service + "_app",
                                "stream", service + "_stream"))
                .outOfOrder(true)
                .loggers("slf4j");
    }

    private static void prepare(
            DatabaseUrl url, String service, String appPassword, String streamPassword)
            throws SQLException {
        if (!SERVICE.matcher(service).matches()) {
            throw new IllegalArgumentException(
                    "service must match " + SERVICE + ", was " + service);
        }
        var roles = Map.of(service + "_app", appPassword, service + "_stream", streamPassword);
        try (var connection = connect(url)) {
            prepare(connection, service, roles);
        }
    }

    private static Connection connect(DatabaseUrl url) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", url.user());
        properties.setProperty("password", url.password());
        return DriverManager.getConnection(url.jdbc(), properties);
    }

    /** Roles and schema; concurrent callers wait for each other, since PostgreSQL's catalogue does not. */
    private static void prepare(Connection connection, String service, Map<String, String> roles)
            throws SQLException {
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement()) {
            statement.execute("SELECT pg_advisory_xact_lock(7061757)");
            for (var role : roles.entrySet()) {
                try (var known =
                        connection.prepareStatement(
                                "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = ?")) {
                    known.setString(1, role.getKey());
                    var found = known.executeQuery();
                    boolean exists = found.next();
                    // Only a superuser may take these away, so they are taken only where they are.
                    String without =
                            !exists || found.getBoolean(1) ? "NOSUPERUSER NOBYPASSRLS " : "";
                    statement.execute(
                            "%s ROLE %s LOGIN %sPASSWORD %s"
                                    .formatted(
                                            exists ? "ALTER" : "CREATE",
                                            role.getKey(),
                                            without,
                                            statement.enquoteLiteral(role.getValue())));
                }
                statement.execute(
                        "ALTER ROLE %s SET search_path = %s".formatted(role.getKey(), service));
            }
            statement.execute("CREATE SCHEMA IF NOT EXISTS " + service);
            for (var role : roles.keySet()) {
                statement.execute("GRANT USAGE ON SCHEMA %s TO %s".formatted(service, role));
            }
        }
        connection.commit();
    }
}
