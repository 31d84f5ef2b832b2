package io.mirante.ingestion.telemetry;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.contracts.events.TelemetryReading;
import io.mirante.contracts.events.TelemetryReadings;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.intake.Checked;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.TenantRules;
import io.mirante.ingestion.rejected.Original;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.messaging.Outgoing;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import org.springframework.stereotype.Component;

/** Checks one device reading and makes its record. Thread-safe; costs CPU only. */
@Component
public final class TelemetryItems {

    /** What a reading is called among rejected events. */
    public static final String TYPE = "telemetry.reading";

    private final Rejections rejections;
    private final TenantRules tenants;
    private final IngestionSettings settings;

    TelemetryItems(Rejections rejections, TenantRules tenants, IngestionSettings settings) {
        this.rejections = rejections;
        this.tenants = tenants;
        this.settings = settings;
    }

    /**
     * Checks one reading.
     *
     * @param source the way in
     * @param receivedAt the default of its timestamp
     * @param now when it is received
     */
    public Checked check(
            String tenant, Original original, String source, Instant receivedAt, Instant now) {
        return switch (TelemetryReadings.check(
                original.bytes(),
                original.from(),
                original.to(),
                receivedAt,
                settings.maxEventBytes())) {
            case TelemetryReadings.Accepted accepted ->
                    new Checked(
                            accepted.reading().deviceId(),
                            new Item.Good(
                                    record(tenant, masked(tenant, accepted.reading()), source, now),
                                    () -> tooLargeForKafka(tenant, original, source, now)));
            case TelemetryReadings.Rejected rejected ->
                    new Checked(
                            rejected.deviceId(),
                            rejections.of(
                                    tenant,
                                    null,
                                    TYPE,
                                    rejected.reason(),
                                    rejected.errors(),
                                    source,
                                    now,
                                    original));
        };
    }

    private TelemetryReading masked(String tenant, TelemetryReading reading) {
        var type = reading.deviceType();
        return type == null
                ? reading
                : new TelemetryReading(
                        reading.deviceId(),
                        tenants.masker(tenant).mask(type),
                        reading.timestamp(),
                        reading.metrics());
    }

    private Item.Bad tooLargeForKafka(
            String tenant, Original original, String source, Instant now) {
        return rejections.of(
                tenant,
                null,
                TYPE,
                Reason.SIZE,
                List.of(
                        new FieldError(
                                "",
                                "too_large",
                                "the reading is larger than Kafka's topic takes; send fewer metrics"
                                        + " at once")),
                source,
                now,
                original);
    }

    /** Its id is the device and the time: the same reading again has the same id. */
    private static Outgoing record(
            String tenant, TelemetryReading reading, String source, Instant now) {
        var time = reading.timestamp().toString();
        var headers = new HashMap<String, String>(16);
        headers.put(CloudHeaders.SPEC_VERSION, "1.0");
        headers.put(CloudHeaders.ID, reading.deviceId() + "@" + time);
        headers.put(CloudHeaders.TYPE, TYPE);
        headers.put(CloudHeaders.SOURCE, source);
        headers.put(CloudHeaders.TIME, time);
        headers.put(CloudHeaders.SUBJECT, reading.deviceId());
        headers.put(CloudHeaders.TENANT, tenant);
        headers.put(CloudHeaders.SCHEMA_VERSION, "1");
        headers.put(CloudHeaders.RECEIVED_AT, now.toString());
        return new Outgoing(
                Topics.TELEMETRY_RAW.name(),
                null,
                Keys.of(tenant, reading.deviceId()),
                reading.toJson(),
                headers);
    }
}
