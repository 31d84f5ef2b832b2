package io.mirante.local;

import io.mirante.contracts.Json;
import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;

/**
 * What a backup says about itself.
 *
 * @param format of the file
 * @param version of Mirante that wrote it
 * @param takenAt when the snapshot of the database began
 * @param migrations applied migrations by schema, each as version and checksum
 * @param tables in the order in which they lie in the file
 * @param sequences last value by name; absent when the sequence was not used yet
 */
record BackupManifest(
        int format,
        String version,
        Instant takenAt,
        Map<String, List<String>> migrations,
        List<Table> tables,
        Map<String, Long> sequences) {
    static final int FORMAT = 1;
    static final String ENTRY = "manifest.json";

    /** Entry with the key of the rejected originals; backups of the first builds have none. */
    static final String MASTER_KEY = "keys/master.key";

    /**
     * One table.
     *
     * @param columns those that are stored, in order; generated ones are not
     */
    record Table(String schema, String name, List<String> columns) {
        /** The name in SQL. */
        String quoted() {
            return quote(schema) + "." + quote(name);
        }

        String quotedColumns() {
            return String.join(", ", columns.stream().map(BackupManifest::quote).toList());
        }

        /** Where its rows lie in the file. */
        String entry() {
            return "tables/" + schema + "." + name + ".copy";
        }
    }

    static String quote(String identifier) {
        return "\"" + identifier.replace("\"", "\"\"") + "\"";
    }

    byte[] toJson() {
        return Json.mapper().writeValueAsBytes(this);
    }

    /** The versions of the migrations that the schema had; none when there was no such schema. */
    Set<String> versions(String schema) {
        return versions(migrations, schema);
    }

    /** The same of what {@link #migrations(Connection)} found. */
    static Set<String> versions(Map<String, List<String>> migrations, String schema) {
        var versions = new TreeSet<String>();
        for (String migration : migrations.getOrDefault(schema, List.of())) {
            versions.add(migration.substring(0, migration.lastIndexOf(' ')));
        }
        return versions;
    }

    static BackupManifest read(InputStream in) throws IOException {
        try {
            return Json.mapper().readValue(in.readAllBytes(), BackupManifest.class);
        } catch (JacksonException e) {
            throw new IOException("its manifest is damaged: " + e.getOriginalMessage(), e);
        }
    }

    /** Names of the services' schemas that exist. */
    static List<String> schemas(Connection connection) throws SQLException {
        var schemas = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'"
                                        + " AND nspname NOT IN ('information_schema', 'public') ORDER BY 1")) {
            while (rows.next()) {
                schemas.add(rows.getString(1));
            }
        }
        return schemas;
    }

    /** Tables of the schemas, partitioned ones as a whole, without Flyway's own. */
    static List<Table> tables(Connection connection) throws SQLException {
        var columns = new TreeMap<String, List<String>>();
        var names = new TreeMap<String, String[]>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                """
                                SELECT n.nspname, c.relname, a.attname
                                FROM pg_class c
                                JOIN pg_namespace n ON n.oid = c.relnamespace
                                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                                  AND NOT a.attisdropped AND a.attgenerated = ''
                                WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                                  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public')
                                  AND c.relname <> 'flyway_schema_history'
                                ORDER BY 1, 2, a.attnum
                                """)) {
            while (rows.next()) {
                String key = rows.getString(1) + "." + rows.getString(2);
                names.put(key, new String[] {rows.getString(1), rows.getString(2)});
                columns.computeIfAbsent(key, unused -> new ArrayList<>()).add(rows.getString(3));
            }
        }
        var tables = new ArrayList<Table>();
        names.forEach((key, name) ->
                tables.add(new Table(name[0], name[1], columns.getOrDefault(key, List.of()))));
        return tables;
    }

    static Map<String, List<String>> migrations(Connection connection) throws SQLException {
        var migrations = new TreeMap<String, List<String>>();
        for (String schema : schemas(connection)) {
            try (var statement = connection.createStatement();
                    var known =
                            statement.executeQuery(
                                    "SELECT to_regclass('"
                                            + quote(schema)
                                            + ".flyway_schema_history') IS NOT NULL")) {
                known.next();
                if (!known.getBoolean(1)) {
                    continue;
                }
            }
            var applied = new ArrayList<String>();
            try (var statement = connection.createStatement();
                    var rows =
                            statement.executeQuery(
                                    "SELECT version, checksum FROM "
                                            + quote(schema)
                                            + ".flyway_schema_history WHERE success AND version IS NOT NULL"
                                            + " ORDER BY version")) {
                while (rows.next()) {
                    applied.add(rows.getString(1) + " " + rows.getString(2));
                }
            }
            migrations.put(schema, applied);
        }
        return migrations;
    }
}
