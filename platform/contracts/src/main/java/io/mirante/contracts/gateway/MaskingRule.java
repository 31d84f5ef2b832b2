package io.mirante.contracts.gateway;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What happens to personal data before anything is stored. A rule names either the place ({@code pointer}) or what is
 * recognised there ({@code kind}). A tenant's rules come before the defaults, the first that applies wins, and {@link
 * Action#KEEP} takes a default away.
 *
 * @param eventType snake_case name of the type it is for; null or {@code *} is all
 * @param pointer JSON pointer (RFC 6901) into the event, such as {@code /data/note}; {@code *} is any one step
 * @param kind what is recognised, wherever it stands
 * @param length characters that stay with {@link Action#TRUNCATE}; null is 8
 */
public record MaskingRule(
        @Nullable String eventType,
        @Nullable String pointer,
        @Nullable Kind kind,
        Action action,
        @Nullable Integer length) {

    private static final Pattern TYPE = Pattern.compile("\\*|[a-z0-9_.-]{1,128}");
    private static final Pattern POINTER = Pattern.compile("(/([^~/]|~[01])+)+");
    private static final int MAX_POINTER = 512;

    /** What a rule does with the value. */
    public enum Action {
        /** The field is gone. */
        @JsonProperty("drop")
        DROP,
        /** The same value always becomes the same hash, by a salt of the tenant's. */
        @JsonProperty("hash")
        HASH,
        /** The first {@code length} characters stay. */
        @JsonProperty("truncate")
        TRUNCATE,
        /** Coarser: an IP address becomes its /24 or /48. */
        @JsonProperty("generalise")
        GENERALISE,
        /** As it came: takes a default away. */
        @JsonProperty("keep")
        KEEP
    }

    /** Personal data that is recognised by its form. */
    public enum Kind {
        @JsonProperty("email")
        EMAIL,
        @JsonProperty("phone")
        PHONE,
        @JsonProperty("cpf")
        CPF,
        @JsonProperty("card")
        CARD,
        @JsonProperty("ip")
        IP,
        @JsonProperty("free_text")
        FREE_TEXT
    }

    public MaskingRule {
        if (action == null) {
            throw new InvalidSettingException(
                    "/action",
                    "required",
                    "action must be one of drop, hash, truncate, generalise, keep");
        }
        if ((pointer == null) == (kind == null)) {
            throw new InvalidSettingException(
                    "", "one_of", "a masking rule names either a pointer or a kind");
        }
        if (pointer != null
                && !(pointer.length() <= MAX_POINTER && POINTER.matcher(pointer).matches())) {
            throw new InvalidSettingException(
                    "/pointer",
                    "invalid",
                    "pointer must be a JSON pointer such as /data/email, was " + pointer);
        }
        if (eventType != null && !TYPE.matcher(eventType).matches()) {
            throw new InvalidSettingException(
                    "/event_type",
                    "invalid",
                    "event_type must be a type's name in snake_case, or *, was " + eventType);
        }
        if (action == Action.GENERALISE && kind != null && kind != Kind.IP) {
            throw new InvalidSettingException(
                    "/action", "invalid", "generalise is for kind ip, or for a pointer to one");
        }
        if (length != null && !(action == Action.TRUNCATE && length >= 1 && length <= 10_000)) {
            throw new InvalidSettingException(
                    "/length", "out_of_range", "length is for truncate, from 1 to 10000");
        }
    }

    /** Whether the rule is for this type of event. */
    public boolean appliesTo(String type) {
        return eventType == null || eventType.equals("*") || eventType.equals(type);
    }
}
