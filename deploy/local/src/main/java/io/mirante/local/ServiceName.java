package io.mirante.local;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The eight services in the order in which they are started: the way in first, the door last. */
enum ServiceName {
    INGESTION(256),
    ETL(384),
    SNAPSHOT(384),
    SEGMENTATION(384),
    CHURN(384),
    INDUSTRY40(256),
    ALERT(256),
    GATEWAY(256);

    private final int heapMib;

    ServiceName(int heapMib) {
        this.heapMib = heapMib;
    }

    /** {@code -Xmx} in MiB. */
    int heapMib() {
        return heapMib;
    }

    /** The short name, for example {@code etl}: also its schema and the prefix of its job ids. */
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The module's and the jar's name, for example {@code etl-service}. */
    String module() {
        return id() + "-service";
    }

    /**
     * How far the service stands back while processors are short ({@link Jvm#inOwnSession}): what comes in is acknowledged or refused
     * first, and what follows from it catches up.
     */
    int niceness() {
        return this == GATEWAY || this == INGESTION ? 0 : 10;
    }

    /** Whether it signs tokens, and so has a private key. */
    boolean signs() {
        return this == GATEWAY || this == CHURN || this == SNAPSHOT || this == SEGMENTATION;
    }

    /** The service called {@code etl} or {@code etl-service}. */
    static Optional<ServiceName> find(String text) {
        return all().stream()
                .filter(service -> service.id().equals(text) || service.module().equals(text))
                .findFirst();
    }

    static List<ServiceName> all() {
        return Arrays.asList(values());
    }
}
