package io.mirante.platform.web;

import java.util.UUID;
import java.util.regex.Pattern;
import org.springframework.web.server.ServerWebExchange;

/** The id of a request: the caller's {@code X-Request-Id} when it is well-formed, else a new one. */
public final class RequestIds {

    public static final String HEADER = "X-Request-Id";

    private static final String ATTRIBUTE = RequestIds.class.getName();
    private static final Pattern WELL_FORMED = Pattern.compile("[A-Za-z0-9_.:-]{1,64}");

    private RequestIds() {}

    /** The request's id; the same for every call with this exchange. */
    public static String of(ServerWebExchange exchange) {
        String known = exchange.getAttribute(ATTRIBUTE);
        if (known != null) {
            return known;
        }
        var given = exchange.getRequest().getHeaders().getFirst(HEADER);
        var id =
                given != null && WELL_FORMED.matcher(given).matches()
                        ? given
                        : UUID.randomUUID().toString();
        exchange.getAttributes().put(ATTRIBUTE, id);
        return id;
    }
}
