package io.mirante.gateway.routing;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The services of the mesh. */
public enum Service {
    GATEWAY,
    INGESTION,
    ETL,
    SEGMENTATION,
    CHURN,
    INDUSTRY40,
    SNAPSHOT,
    ALERT;

    private final String id = name().toLowerCase(Locale.ROOT);

    /** Short name, as in schemas and job ids. */
    public String id() {
        return id;
    }

    /** Full name, as in logs and problems. */
    public String fullName() {
        return id + "-service";
    }

    /** The service of a short name. */
    public static Optional<Service> ofId(String id) {
        return Arrays.stream(values()).filter(service -> service.id.equals(id)).findFirst();
    }
}
