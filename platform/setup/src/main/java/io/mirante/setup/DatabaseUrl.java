package io.mirante.setup;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * A database as {@code postgresql://user:password@host:port/database?parameters}.
 *
 * @param port 1 to 65535; 5432 when the text names none
 * @param password empty when the text names none
 * @param parameters of the PostgreSQL driver as they are in the text, such as {@code sslmode=require}; may be empty
 */
public record DatabaseUrl(
        String host, int port, String database, String user, String password, String parameters) {

    private static final String FORM =
            "a database URL looks like postgresql://user:password@host:port/database"
                    + " (percent-encode what is special in it: @ is %40, / is %2F, % is %25)";

    /**
     * Reads the text form; user and password may be percent-encoded.
     *
     * @throws IllegalArgumentException when it is no such URL; the message does not repeat the text, which holds a
     *     password
     */
    public static DatabaseUrl parse(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(FORM);
        }
        var scheme = uri.getScheme();
        var path = uri.getPath();
        if (scheme == null
                || !(scheme.equals("postgresql") || scheme.equals("postgres"))
                || uri.getHost() == null
                || uri.getPort() > 65_535
                || uri.getPort() == 0
                || path == null
                || path.length() < 2) {
            throw new IllegalArgumentException(FORM);
        }
        var info = uri.getRawUserInfo() == null ? "" : uri.getRawUserInfo();
        int colon = info.indexOf(':');
        return new DatabaseUrl(
                uri.getHost(),
                uri.getPort() < 0 ? 5432 : uri.getPort(),
                path.substring(1),
                decode(colon < 0 ? info : info.substring(0, colon)),
                colon < 0 ? "" : decode(info.substring(colon + 1)),
                uri.getRawQuery() == null ? "" : uri.getRawQuery());
    }

    /** The same database for JDBC, without credentials. */
    public String jdbc() {
        return "jdbc:postgresql://"
                + host
                + ":"
                + port
                + "/"
                + database
                + (parameters.isEmpty() ? "" : "?" + parameters);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "postgresql://" + user + "@" + host + ":" + port + "/" + database;
    }

    /** In a URL a plus sign is itself; only in forms it is a blank. */
    private static String decode(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
