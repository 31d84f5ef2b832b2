package io.mirante.ingestion.intake;

import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.contracts.masking.Masker;
import io.mirante.platform.keys.MasterKeys;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** What a tenant's settings mean for its events. A change is in force with the next event. Thread-safe. */
public final class TenantRules {

    private static final int MAX_REMEMBERED = 10_000;

    private final Function<String, TenantSettings> settings;
    private final MasterKeys keys;
    private final Map<String, Remembered> maskers = new ConcurrentHashMap<>();

    private record Remembered(long revision, Masker masker) {}

    /**
     * @param settings of a tenant, as they are at the moment
     */
    public TenantRules(Function<String, TenantSettings> settings, MasterKeys keys) {
        this.settings = settings;
        this.keys = keys;
    }

    /** The rules of a way in, strict when the tenant is. */
    public EventValidator.Rules of(String tenant, EventValidator.Rules rules) {
        boolean strict = settings.apply(tenant).mode() == TenantSettings.Mode.STRICT;
        return rules.strict() == strict
                ? rules
                : new EventValidator.Rules(
                        strict,
                        rules.eventIdRequired(),
                        rules.maxEventBytes(),
                        rules.receivedAt(),
                        rules.source(),
                        rules.clockTolerance());
    }

    /** What masks the tenant's personal data. */
    public Masker masker(String tenant) {
        var current = settings.apply(tenant);
        var remembered = maskers.get(tenant);
        if (remembered != null && remembered.revision() == current.revision()) {
            return remembered.masker();
        }
        if (maskers.size() > MAX_REMEMBERED) {
            maskers.clear();
        }
        var masker = new Masker(current.masking(), keys.salt(tenant));
        maskers.put(tenant, new Remembered(current.revision(), masker));
        return masker;
    }
}
