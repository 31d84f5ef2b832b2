package io.mirante.snapshot.export;

/**
 * A column of a file.
 *
 * @param name in the file
 * @param source column that it is read from
 */
record ExportColumn(String name, Type type, String source) {

    ExportColumn(String name, Type type) {
        this(name, type, name);
    }

    /** What a column holds. */
    enum Type {
        TEXT("VARCHAR"),
        /** A moment, to the microsecond. */
        TIME("TIMESTAMPTZ"),
        INTEGER("BIGINT"),
        NUMBER("DOUBLE"),
        /** A decimal as a text, in Parquet a decimal of 38 digits, 9 of them after the point. */
        AMOUNT("VARCHAR"),
        JSON("JSON"),
        /** Texts by name. */
        TEXTS("JSON"),
        /** Decimals by name. */
        AMOUNTS("JSON");

        private final String stored;

        Type(String stored) {
            this.stored = stored;
        }

        /** As DuckDB holds it until the file is written. */
        String stored() {
            return stored;
        }
    }

    /** The value in the file, an expression. */
    String value(ExportFormat format) {
        var column = quoted(source);
        return switch (format) {
            case PARQUET -> typed(column);
            case CSV -> type == Type.TEXT ? harmless(column) : text(column);
            case JSON, NDJSON ->
                    "coalesce(%s, 'null')"
                            .formatted(
                                    isJson()
                                            ? text(column)
                                            : "to_json(" + text(column) + ")::VARCHAR");
        };
    }

    private boolean isJson() {
        return type == Type.JSON || type == Type.TEXTS || type == Type.AMOUNTS;
    }

    /** As everywhere in the API. */
    private String text(String column) {
        return switch (type) {
            case TIME ->
                    "strftime(make_timestamp(epoch_us(%s)), '%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ')"
                            .formatted(column);
            case JSON, TEXTS, AMOUNTS -> column + "::VARCHAR";
            case TEXT, INTEGER, NUMBER, AMOUNT -> column;
        };
    }

    private String typed(String column) {
        return switch (type) {
            case AMOUNT -> column + "::DECIMAL(38, 9)";
            case TEXTS -> column + "::MAP(VARCHAR, VARCHAR)";
            case AMOUNTS -> column + "::MAP(VARCHAR, DECIMAL(38, 9))";
            case TEXT, TIME, INTEGER, NUMBER, JSON -> column;
        };
    }

    /** A text that a spreadsheet would take for a formula begins with an apostrophe. */
    private static String harmless(String column) {
        return """
        CASE WHEN substr(%1$s, 1, 1) IN ('=', '+', '-', '@', chr(9), chr(10), chr(13)) THEN '''' || %1$s ELSE %1$s END\
        """
                .formatted(column);
    }

    /** As an identifier of DuckDB's. */
    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }
}
