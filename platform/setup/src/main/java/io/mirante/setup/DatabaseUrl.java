package io.mirante.setup;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * A database as {@code postgresql://user:password@host:port/database}.
 *
 * @param port 1 to 65535; 5432 when the text names none
 */
public record DatabaseUrl(String host, int port, String database, String user, String password) {

    /**
     * Reads the text form; user and password may be percent-encoded.
     *
     * @throws IllegalArgumentException when it is no such URL
     */
    public static DatabaseUrl parse(String text) {
        var uri = URI.create(text);
        var scheme = uri.getScheme();
        var path = uri.getPath();
        if (scheme == null
                || !(scheme.equals("postgresql") || scheme.equals("postgres"))
                || uri.getHost() == null
                || path == null
                || path.length() < 2) {
            throw new IllegalArgumentException(
                    "a database URL looks like postgresql://user:password@host:port/database");
        }
        var info = uri.getRawUserInfo() == null ? "" : uri.getRawUserInfo();
        int colon = info.indexOf(':');
        return new DatabaseUrl(
                uri.getHost(),
                uri.getPort() < 0 ? 5432 : uri.getPort(),
                path.substring(1),
                decode(colon < 0 ? info : info.substring(0, colon)),
                colon < 0 ? "" : decode(info.substring(colon + 1)));
    }

    /** The same database for JDBC, without credentials. */
    public String jdbc() {
        return "jdbc:postgresql://" + host + ":" + port + "/" + database;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
