package io.mirante.setup;

import java.io.PrintStream;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.flywaydb.core.api.FlywayException;

/**
 * The set-up step as a program: every service's roles, schema and migrations, then Kafka's topics. Idempotent. What goes
 * wrong is one line on standard error, without a trace.
 */
public final class Main {
    static final int FAILED = 1;
    static final int WRONG_SETTING = 2;

    private static final String USAGE =
            """
            usage: java -jar mirante-setup-run.jar

            Creates the roles, schemas and topics that are missing and runs the migrations that have not run yet. Reads

              DATABASE_URL                   postgresql://owner:password@host:port/database
              KAFKA_BOOTSTRAP_SERVERS        host:port, comma-separated
              <SERVICE>_DB_APP_PASSWORD      the same as that service's DB_APP_PASSWORD
              <SERVICE>_DB_STREAM_PASSWORD   the same as that service's DB_STREAM_PASSWORD

            for each SERVICE of %s.
            Exit code: 0 done, 1 PostgreSQL or Kafka did not do it, 2 a setting is missing or wrong.
            """
                    .formatted(String.join(", ", SetupSettings.SERVICES).toUpperCase(Locale.ROOT));

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(
                run(List.of(arguments), System.getenv(), TopicSetup.LIMIT, System.out, System.err));
    }

    /** Runs the step; returns the exit code. */
    static int run(
            List<String> arguments,
            Map<String, String> environment,
            Duration kafkaLimit,
            PrintStream out,
            PrintStream err) {
        if (!arguments.isEmpty()) {
            boolean asked = arguments.equals(List.of("--help"));
            (asked ? out : err).print(USAGE);
            return asked ? 0 : WRONG_SETTING;
        }
        try {
            setUp(SetupSettings.from(environment), kafkaLimit, out);
            return 0;
        } catch (SetupException e) {
            err.println("set-up: " + oneLine(String.valueOf(e.getMessage())));
            return e.exitCode();
        } catch (RuntimeException e) {
            err.println("set-up: " + oneLine(String.valueOf(e.getMessage())));
            return FAILED;
        }
    }

    private static void setUp(SetupSettings settings, Duration kafkaLimit, PrintStream out) {
        out.println("PostgreSQL: " + settings.database());
        for (String service : SetupSettings.SERVICES) {
            int run = migrate(settings, service);
            out.printf(
                    "  %-14s %s%n",
                    service,
                    run == 0
                            ? "up to date"
                            : run == 1 ? "1 migration run" : run + " migrations run");
        }
        out.println("Kafka: " + settings.bootstrapServers());
        List<String> made = TopicSetup.createMissing(settings.bootstrapServers(), kafkaLimit);
        out.printf(
                "  %-14s %s%n", "topics", made.isEmpty() ? "all there" : made.size() + " created");
        out.println("Set-up done.");
    }

    private static int migrate(SetupSettings settings, String service) {
        try {
            return Migrator.migrate(
                    settings.database(),
                    service,
                    settings.appPasswords().getOrDefault(service, ""),
                    settings.streamPasswords().getOrDefault(service, ""),
                    Main.class.getClassLoader(),
                    "classpath:db/services/" + service);
        } catch (SQLException e) {
            throw new SetupException(FAILED, explain(settings.database(), service, e), e);
        } catch (FlywayException e) {
            throw new SetupException(
                    FAILED, "the migrations of " + service + " did not run: " + e.getMessage(), e);
        }
    }

    /** The remedy for what PostgreSQL refuses most often. */
    private static String explain(DatabaseUrl database, String service, SQLException e) {
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        String where = database.host() + ":" + database.port();
        if (state.startsWith("28")) {
            return "DATABASE_URL: PostgreSQL at "
                    + where
                    + " refuses "
                    + database.user()
                    + ": "
                    + e.getMessage();
        }
        if (state.equals("3D000")) {
            return "DATABASE_URL: there is no database %s at %s: create it first (CREATE DATABASE %s)"
                    .formatted(database.database(), where, database.database());
        }
        if (state.startsWith("08")) {
            return "DATABASE_URL: no PostgreSQL answers at " + where + ": " + e.getMessage();
        }
        if (state.equals("42501")) {
            return "%s may not set up %s (%s): the owner needs CREATEROLE, and CREATE on the database"
                    .formatted(database.user(), service, e.getMessage());
        }
        return "cannot prepare schema " + service + ": " + e.getMessage();
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
