package io.mirante.contracts.gateway;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.mirante.contracts.Json;
import java.time.ZoneId;
import java.util.Currency;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A tenant and what it has chosen. On {@code mirante.tenants}, key tenant, newest revision wins. A field that is missing
 * or null is its default. Nothing in it is secret. Immutable.
 *
 * @param id 1 to 64 letters, digits, {@code -} and {@code _}
 * @param name 1 to 200 characters; default: the id
 * @param timezone IANA name; default UTC
 * @param locale BCP 47 tag; default {@code en}
 * @param currency ISO 4217; default USD
 * @param mode what becomes of unknown types and fields; default open
 * @param businessHours null = around the clock
 * @param masking rules of its own, before the defaults; at most 200
 * @param rfmBoundaries null = quintiles of its own customers
 * @param benchmarkOptIn its figures may enter anonymous comparisons; default false
 * @param revision rises with every change; 0 for a tenant nobody has heard of
 */
public record TenantSettings(
        String id,
        String name,
        String timezone,
        String locale,
        String currency,
        Mode mode,
        @Nullable BusinessHours businessHours,
        Limits limits,
        List<MaskingRule> masking,
        Retention retention,
        QualityThresholds qualityThresholds,
        @Nullable RfmBoundaries rfmBoundaries,
        Boolean benchmarkOptIn,
        Long revision) {

    /** Most rules of a tenant's own. */
    public static final int MAX_RULES = 200;

    private static final int MAX_NAME = 200;
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,64}");

    /** What becomes of event types and fields that the contracts do not know. */
    public enum Mode {
        /** Accepted as custom events; unknown fields are kept aside. */
        @JsonProperty("open")
        OPEN,
        /** Refused. */
        @JsonProperty("strict")
        STRICT
    }

    public TenantSettings {
        if (id == null || !ID.matcher(id).matches()) {
            throw new InvalidSettingException(
                    "/id", "invalid", "id must be 1 to 64 letters, digits, - and _, was " + id);
        }
        name = name == null ? id : name.strip();
        if (name.isEmpty()
                || name.length() > MAX_NAME
                || name.chars().anyMatch(Character::isISOControl)) {
            throw new InvalidSettingException(
                    "/name",
                    "out_of_range",
                    "name must have 1 to " + MAX_NAME + " characters, none a control character");
        }
        timezone = timezone == null ? "UTC" : timezone;
        if (!ZoneId.getAvailableZoneIds().contains(timezone)) {
            throw new InvalidSettingException(
                    "/timezone",
                    "invalid",
                    "timezone must be an IANA name such as America/Sao_Paulo, was " + timezone);
        }
        locale = locale == null ? "en" : locale(locale);
        currency = currency == null ? "USD" : currency(currency);
        mode = mode == null ? Mode.OPEN : mode;
        limits = limits == null ? Limits.DEFAULT : limits;
        masking = masking == null ? List.of() : List.copyOf(masking);
        if (masking.size() > MAX_RULES) {
            throw new InvalidSettingException(
                    "/masking",
                    "out_of_range",
                    "masking must have at most %d rules, had %d"
                            .formatted(MAX_RULES, masking.size()));
        }
        retention = retention == null ? Retention.DEFAULT : retention;
        qualityThresholds =
                qualityThresholds == null ? QualityThresholds.DEFAULT : qualityThresholds;
        benchmarkOptIn = benchmarkOptIn != null && benchmarkOptIn;
        revision = revision == null ? 0L : revision;
    }

    /** A tenant with nothing chosen: revision 0. */
    @SuppressWarnings("NullAway") // the constructor puts the default where null is
    public static TenantSettings defaults(String id) {
        return new TenantSettings(
                id, null, null, null, null, null, null, null, null, null, null, null, null, null);
    }

    /**
     * These settings changed by a JSON Merge Patch (RFC 7396): null takes a setting back to its default. The id stays.
     *
     * @throws tools.jackson.core.JacksonException when the result is not of the form; its cause is an {@link
     *     InvalidSettingException} when a value is impossible
     */
    public TenantSettings patched(JsonNode patch, long newRevision) {
        return patched(patch, newRevision, Json.mapper());
    }

    /**
     * The same, read by a mapper of the caller's: one that refuses unknown fields, for what people write.
     *
     * @param mapper snake_case
     */
    public TenantSettings patched(JsonNode patch, long newRevision, JsonMapper mapper) {
        var merged = (ObjectNode) merge(Json.mapper().valueToTree(this), patch);
        return mapper.treeToValue(
                merged.put("id", id).put("revision", newRevision), TenantSettings.class);
    }

    /** The time zone, ready to use. */
    @JsonIgnore
    public ZoneId zone() {
        return ZoneId.of(timezone);
    }

    private static JsonNode merge(JsonNode target, JsonNode patch) {
        if (!(patch instanceof ObjectNode changes)) {
            return patch;
        }
        var result =
                target instanceof ObjectNode object
                        ? object.deepCopy()
                        : Json.mapper().createObjectNode();
        for (var change : changes.properties()) {
            if (change.getValue().isNull()) {
                result.remove(change.getKey());
            } else {
                var before = result.path(change.getKey());
                result.set(change.getKey(), merge(before, change.getValue()));
            }
        }
        return result;
    }

    private static String locale(String given) {
        var tag = Locale.forLanguageTag(given).toLanguageTag();
        if (!tag.equalsIgnoreCase(given) || tag.equals("und")) {
            throw new InvalidSettingException(
                    "/locale",
                    "invalid",
                    "locale must be a BCP 47 tag such as pt-BR, was " + given);
        }
        return tag;
    }

    private static String currency(String given) {
        try {
            return Currency.getInstance(given).getCurrencyCode();
        } catch (IllegalArgumentException e) {
            throw new InvalidSettingException(
                    "/currency",
                    "invalid",
                    "currency must be an ISO 4217 code such as BRL, was " + given);
        }
    }
}
