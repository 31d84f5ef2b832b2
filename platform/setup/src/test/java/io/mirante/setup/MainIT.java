package io.mirante.setup;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import io.mirante.embedded.FreePorts;
import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The set-up step on real PostgreSQL and Kafka, as an owner that is no superuser. */
final class MainIT {
    private static final Duration KAFKA_LIMIT = Duration.ofSeconds(20);
    private static final Path CHECKOUT = Path.of("../..");

    @TempDir static Path folder;

    private static PostgresServer postgres;
    private static KafkaServer kafka;

    private final Map<String, String> environment = new TreeMap<>();

    private record Result(int code, String out, String err) {}

    @BeforeAll
    static void start() throws SQLException {
        var broker =
                CompletableFuture.supplyAsync(() ->
                        KafkaServer.start(
                                KafkaServer.Settings.in(folder.resolve("kafka")).forTests()));
        postgres =
                PostgresServer.start(
                        PostgresServer.Settings.in(folder.resolve("postgres"), "superuser-secret")
                                .forTests());
        kafka = broker.join();
        try (var connection = postgres.connect();
                var statement = connection.createStatement()) {
            statement.execute("CREATE ROLE owner LOGIN CREATEROLE PASSWORD 'owner/secret'");
            statement.execute("CREATE ROLE guest LOGIN PASSWORD 'guest-secret'");
            statement.execute("CREATE DATABASE shop OWNER owner");
        }
    }

    @AfterAll
    static void stop() {
        kafka.kill();
        postgres.kill();
    }

    @BeforeEach
    void setAll() {
        environment.put("DATABASE_URL", url("owner:owner%2Fsecret", "shop"));
        environment.put("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrapServers());
        for (String service : SetupSettings.SERVICES) {
            environment.put(SetupSettings.appPasswordName(service), "app of " + service);
            environment.put(SetupSettings.streamPasswordName(service), "stream's of " + service);
        }
    }

    @Test
    void setsUpEverythingOnceAndThenChangesNothing() throws Exception {
        Result first = run();
        assertThat(first.err()).isEmpty();
        assertThat(first.code()).isZero();
        assertThat(first.out()).contains("etl ").contains("migrations run").contains("Set-up done");
        for (String service : SetupSettings.SERVICES) {
            for (String role : List.of("app", "stream")) {
                try (var connection = login(service, role);
                        var statement = connection.createStatement();
                        var rows = statement.executeQuery("SELECT count(*) FROM job")) {
                    assertThat(rows.next()).isTrue();
                }
            }
        }
        Map<String, TopicDescription> topics = topics();
        assertThat(topics.keySet())
                .containsExactlyInAnyOrderElementsOf(
                        Topics.all().stream().map(Topic::name).toList());
        List<String> state = databaseState();

        Result second = run();
        assertThat(second.err()).isEmpty();
        assertThat(second.code()).isZero();
        assertThat(second.out())
                .contains("topics         all there")
                .doesNotContain("migrations run")
                .doesNotContain("created");
        assertThat(topics()).isEqualTo(topics);
        assertThat(databaseState()).isEqualTo(state);

        environment.put("ETL_DB_APP_PASSWORD", "another one");
        assertThat(run().code()).isZero();
        login("etl", "app").close();
    }

    @Test
    void carriesTheMigrationsOfEveryServiceOfThisCheckout() throws IOException {
        var modules = new ArrayList<String>();
        try (var found = Files.newDirectoryStream(CHECKOUT, "*-service")) {
            for (Path module : found) {
                String service = module.getFileName().toString().replace("-service", "");
                modules.add(service);
                try (var migrations =
                        Files.newDirectoryStream(
                                module.resolve("src/main/resources/db/migration"))) {
                    for (Path migration : migrations) {
                        String carried = "db/services/" + service + "/" + migration.getFileName();
                        try (var in = Main.class.getClassLoader().getResourceAsStream(carried)) {
                            assertThat(in).as(carried).isNotNull();
                            assertThat(in.readAllBytes()).isEqualTo(Files.readAllBytes(migration));
                        }
                    }
                }
            }
        }
        assertThat(modules).containsExactlyInAnyOrderElementsOf(SetupSettings.SERVICES);
    }

    /** What a restore needs: a schema as an earlier version left it, which is migrated on afterwards. */
    @Test
    void runsTheMigrationsOfAnEarlierVersionAndLaterTheRest() throws SQLException {
        try (var connection = postgres.connect();
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE earlier OWNER owner");
        }
        DatabaseUrl earlier = DatabaseUrl.parse(url("owner:owner%2Fsecret", "earlier"));
        for (List<String> versions :
                List.of(
                        List.of("0.1", "0.2"),
                        List.of("0.1", "0.2", "001", "002"),
                        List.of("0.1", "0.2", "001", "002", "003"))) {
            Migrator.migrateOnly(
                    earlier,
                    "etl",
                    environment.get("ETL_DB_APP_PASSWORD"),
                    environment.get("ETL_DB_STREAM_PASSWORD"),
                    Main.class.getClassLoader(),
                    "classpath:db/services/etl",
                    versions);
            assertThat(applied(earlier)).isEqualTo(versions);
        }
        environment.put("DATABASE_URL", url("owner:owner%2Fsecret", "earlier"));
        assertThat(run().code()).isZero();
        assertThat(applied(earlier)).contains("0.3", "003", "004").doesNotHaveDuplicates();
    }

    private static List<String> applied(DatabaseUrl url) throws SQLException {
        var applied = new ArrayList<String>();
        try (var connection = DriverManager.getConnection(url.jdbc(), url.user(), url.password());
                var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT version FROM etl.flyway_schema_history ORDER BY installed_rank")) {
            while (rows.next()) {
                applied.add(rows.getString(1));
            }
        }
        return applied;
    }

    @Test
    void namesAllThatIsMissing() {
        environment.remove("DATABASE_URL");
        environment.put("ETL_DB_APP_PASSWORD", " ");
        environment.remove("ALERT_DB_STREAM_PASSWORD");
        fails(
                Main.WRONG_SETTING,
                "set-up: not set: DATABASE_URL, ETL_DB_APP_PASSWORD, ALERT_DB_STREAM_PASSWORD");
    }

    @Test
    void refusesAUrlThatIsNone() {
        environment.put("DATABASE_URL", "jdbc:postgresql://owner:hidden@127.0.0.1/shop");
        assertThat(fails(Main.WRONG_SETTING, "set-up: DATABASE_URL: a database URL looks like "))
                .doesNotContain("hidden");
        environment.put("DATABASE_URL", "postgresql://127.0.0.1/shop");
        fails(Main.WRONG_SETTING, "set-up: DATABASE_URL must name the owner and its password");
    }

    @Test
    void saysThatThePasswordIsWrong() {
        environment.put("DATABASE_URL", url("owner:hidden", "shop"));
        assertThat(
                        fails(
                                Main.FAILED,
                                "set-up: DATABASE_URL: PostgreSQL at 127.0.0.1:%d refuses owner: "
                                        .formatted(postgres.port())))
                .contains("password authentication failed")
                .doesNotContain("hidden");
    }

    @Test
    void saysThatThereIsNoSuchDatabase() {
        environment.put("DATABASE_URL", url("owner:owner%2Fsecret", "nowhere"));
        fails(
                Main.FAILED,
                "set-up: DATABASE_URL: there is no database nowhere at 127.0.0.1:%d: create it"
                        .formatted(postgres.port()));
    }

    @Test
    void saysThatNoPostgresqlAnswers() {
        int nobody = FreePorts.next();
        environment.put("DATABASE_URL", "postgresql://o:p@127.0.0.1:" + nobody + "/shop");
        fails(Main.FAILED, "set-up: DATABASE_URL: no PostgreSQL answers at 127.0.0.1:" + nobody);
    }

    @Test
    void saysWhatTheOwnerMayNotDo() {
        environment.put("DATABASE_URL", url("guest:guest-secret", "shop"));
        assertThat(fails(Main.FAILED, "set-up: guest may not set up gateway (ERROR: permission"))
                .contains("the owner needs CREATEROLE");
    }

    @Test
    void saysThatNoKafkaAnswers() {
        int nobody = FreePorts.next();
        environment.put("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:" + nobody);
        Result result = run(List.of(), Duration.ofSeconds(1));
        assertThat(result.err())
                .isEqualTo("set-up: no Kafka answers at 127.0.0.1:" + nobody + " within 1 s\n");
        assertThat(result.code()).isEqualTo(Main.FAILED);

        environment.put("KAFKA_BOOTSTRAP_SERVERS", "no port");
        assertThat(fails(Main.FAILED, "set-up: Kafka cannot be reached at no port: "))
                .contains("bootstrap.servers");
    }

    @Test
    void explainsItself() {
        Result help = run(List.of("--help"), KAFKA_LIMIT);
        assertThat(help.out()).contains("<SERVICE>_DB_APP_PASSWORD").contains("INDUSTRY40");
        assertThat(help.code()).isZero();
        assertThat(run(List.of("--hlep"), KAFKA_LIMIT).code()).isEqualTo(Main.WRONG_SETTING);
    }

    private String fails(int code, String start) {
        Result result = run();
        assertThat(result.err()).startsWith(start).endsWith("\n");
        assertThat(result.err().lines()).hasSize(1);
        assertThat(result.code()).isEqualTo(code);
        return result.err();
    }

    private Result run() {
        return run(List.of(), KAFKA_LIMIT);
    }

    private Result run(List<String> arguments, Duration kafkaLimit) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code =
                Main.run(
                        arguments,
                        environment,
                        kafkaLimit,
                        new PrintStream(out, true, UTF_8),
                        new PrintStream(err, true, UTF_8));
        return new Result(code, out.toString(UTF_8), err.toString(UTF_8));
    }

    private static String url(String credentials, String database) {
        return "postgresql://" + credentials + "@127.0.0.1:" + postgres.port() + "/" + database;
    }

    private Connection login(String service, String role) throws SQLException {
        String password =
                role.equals("app")
                        ? environment.get(SetupSettings.appPasswordName(service))
                        : environment.get(SetupSettings.streamPasswordName(service));
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + postgres.port() + "/shop",
                service + "_" + role,
                password);
    }

    private static Map<String, TopicDescription> topics() throws Exception {
        try (var admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            var names =
                    admin.listTopics().names().get().stream()
                            .filter(name -> !name.startsWith("__"))
                            .toList();
            return admin.describeTopics(names).allTopicNames().get();
        }
    }

    /** Every relation, function, policy and migration of the services' schemas. */
    private static List<String> databaseState() throws SQLException {
        var state = new ArrayList<String>();
        try (var connection =
                        DriverManager.getConnection(
                                "jdbc:postgresql://127.0.0.1:" + postgres.port() + "/shop",
                                "mirante",
                                "superuser-secret");
                var statement = connection.createStatement()) {
            try (var rows =
                    statement.executeQuery(
                            """
                            SELECT n.nspname || ' ' || n.oid || ' ' || c.relname || ' ' || c.oid || ' ' || c.relacl::text
                            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relacl IS NOT NULL
                            UNION ALL SELECT 'policy ' || oid FROM pg_policy
                            UNION ALL SELECT 'function ' || oid FROM pg_proc WHERE proname = 'protect'
                            UNION ALL SELECT 'role ' || oid || rolname FROM pg_roles
                            ORDER BY 1
                            """)) {
                while (rows.next()) {
                    state.add(rows.getString(1));
                }
            }
            for (String service : SetupSettings.SERVICES) {
                try (var rows =
                        statement.executeQuery(
                                "SELECT h::text FROM "
                                        + service
                                        + ".flyway_schema_history h ORDER BY installed_rank")) {
                    while (rows.next()) {
                        state.add(rows.getString(1));
                    }
                }
            }
        }
        assertThat(state).hasSizeGreaterThan(100);
        return state;
    }
}
