package io.mirante.gateway.tenants;

import io.mirante.contracts.Json;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.springframework.web.server.ServerWebInputException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A change of settings as people write it (JSON Merge Patch): unknown fields and those that are not theirs are refused. */
final class SettingsPatch {

    private static final JsonMapper STRICT =
            Json.mapper()
                    .rebuild()
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .build();
    private static final Set<String> GIVEN = Set.of("id", "revision", "created_at", "updated_at");
    private static final Set<String> CHOSEN =
            Set.of(
                    "name",
                    "timezone",
                    "locale",
                    "currency",
                    "mode",
                    "business_hours",
                    "limits",
                    "masking",
                    "retention",
                    "quality_thresholds",
                    "rfm_boundaries",
                    "benchmark_opt_in");

    private final ObjectNode patch;

    private SettingsPatch(ObjectNode patch) {
        this.patch = patch;
    }

    /**
     * Reads a patch.
     *
     * @throws ProblemException 400 naming every field that may not be there
     */
    static SettingsPatch of(JsonNode body) {
        if (!(body instanceof ObjectNode patch)) {
            throw ProblemException.malformed(
                    "", "wrong_type", "the body must be a JSON object of settings to change");
        }
        var errors = new ArrayList<FieldError>();
        for (var name : patch.propertyNames()) {
            if (GIVEN.contains(name)) {
                errors.add(
                        new FieldError(
                                "/" + name,
                                "read_only",
                                name + " cannot be changed; leave it out"));
            } else if (!CHOSEN.contains(name)) {
                errors.add(
                        new FieldError(
                                "/" + name.replace("~", "~0").replace("/", "~1"),
                                "unknown_field",
                                "unknown field %s; known are %s"
                                        .formatted(name, new TreeSet<>(CHOSEN))));
            }
        }
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new SettingsPatch(patch);
    }

    boolean names(String field) {
        return patch.has(field);
    }

    /**
     * The settings after the patch; the revision is one higher.
     *
     * @throws ServerWebInputException 400 with a pointer to the field that is wrong
     */
    TenantSettings applyTo(TenantSettings before) {
        try {
            return before.patched(patch, before.revision() + 1, STRICT);
        } catch (JacksonException e) {
            throw new ServerWebInputException("the settings are malformed", null, e);
        }
    }

    /** Names of the settings that differ. */
    static List<String> changed(TenantSettings before, TenantSettings after) {
        var old = Json.mapper().valueToTree(before);
        var now = Json.mapper().valueToTree(after);
        return CHOSEN.stream()
                .filter(name -> !Objects.equals(old.get(name), now.get(name)))
                .sorted()
                .toList();
    }

    /** An id for a tenant that was given none: its name in lower case letters, digits and hyphens. */
    static String idOf(String name) {
        var plain =
                java.text.Normalizer.normalize(name, java.text.Normalizer.Form.NFD)
                        .replaceAll("\\p{M}", "")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^a-z0-9]+", "-")
                        .replaceAll("^-|-$", "");
        return plain.isEmpty() ? "tenant" : plain.substring(0, Math.min(plain.length(), 40));
    }
}
