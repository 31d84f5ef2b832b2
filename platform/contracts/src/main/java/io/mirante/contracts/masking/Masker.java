package io.mirante.contracts.masking;

import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.gateway.MaskingRule;
import io.mirante.contracts.gateway.MaskingRule.Action;
import io.mirante.contracts.gateway.MaskingRule.Kind;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Masks personal data in an event's data, metadata and context by one tenant's rules, then by the defaults. Ids are kept:
 * those of the event, and every field called {@code id}, {@code …_id} or {@code …Id} that no pointer names.
 *
 * <p>Defaults, by the field's name or by what the value looks like: e-mail addresses, phone numbers and CPFs become a
 * hash with the tenant's salt (the same address in other letters, the same number in other groups, the same hash); card
 * numbers and passwords are dropped; IP addresses become their /24 or /48. Found inside a longer text, only the finding is
 * replaced, by its kind in brackets. What nothing has changed is the same tree afterwards, not a copy. Thread-safe, does
 * no I/O.
 */
public final class Masker {

    /** Characters that stay when a rule that truncates does not say. */
    private static final int DEFAULT_LENGTH = 8;

    /** Hexadecimal digits of a hash: 64 bits. */
    private static final int HASH_DIGITS = 16;

    private static final int MAX_PLANS = 2_000;

    private static final Map<Kind, Action> DEFAULTS =
            Map.of(
                    Kind.EMAIL, Action.HASH,
                    Kind.PHONE, Action.HASH,
                    Kind.CPF, Action.HASH,
                    Kind.CARD, Action.DROP,
                    Kind.IP, Action.GENERALISE);

    private final List<MaskingRule> rules;
    private final byte[] salt;
    private final Map<String, Plan> plans = new ConcurrentHashMap<>();

    /**
     * A masker for one tenant.
     *
     * @param rules the tenant's own, in their order
     * @param salt the tenant's, secret: without it hashes cannot be tried out
     */
    public Masker(List<MaskingRule> rules, byte[] salt) {
        this.rules = List.copyOf(rules);
        this.salt = salt.clone();
    }

    /** The event, masked; the same one when there is nothing to mask. */
    public CanonicalEvent mask(CanonicalEvent event) {
        var plan = plan(event.eventType());
        var data = plan.part("data", event.data());
        var metadata = plan.part("metadata", event.metadata());
        var context = plan.part("context", event.context());
        var masked = event;
        masked = data.equals(Changed.NO) ? masked : masked.withData(data.tree());
        masked = metadata.equals(Changed.NO) ? masked : masked.withMetadata(metadata.tree());
        return context.equals(Changed.NO) ? masked : masked.withContext(context.tree());
    }

    /** A whole event as it was sent, for showing: by kinds alone, ids kept. */
    public JsonNode mask(JsonNode event) {
        var changed = plan("").walk(event, FieldNames.of(""), List.of(), 0);
        return changed.equals(Changed.NO) ? event : changed.tree();
    }

    /** Text in which each finding is replaced; the same one when there is none. */
    public String mask(String text) {
        return plan("").inText(text);
    }

    private Plan plan(String type) {
        var known = plans.get(type);
        if (known != null) {
            return known;
        }
        var plan = new Plan(rules.stream().filter(r -> r.appliesTo(type)).toList());
        if (plans.size() < MAX_PLANS) {
            plans.put(type, plan);
        }
        return plan;
    }

    /** What became of a value. */
    private record Changed(@Nullable JsonNode value) {
        static final Changed NO = new Changed(JsonNodeFactory.instance.missingNode());
        static final Changed GONE = new Changed(null);

        static Changed to(String text) {
            return new Changed(JsonNodeFactory.instance.stringNode(text));
        }

        /** The tree of a part that stays an object. */
        JsonNode tree() {
            return value == null ? JsonNodeFactory.instance.objectNode() : value;
        }
    }

    /** A rule that names a place. */
    private record Place(int order, String[] steps, MaskingRule rule) {
        boolean at(int depth, String name) {
            return depth < steps.length && (steps[depth].equals("*") || steps[depth].equals(name));
        }
    }

    /** What to do with a kind, and how early the rule that says so stands. */
    private record Choice(int order, Action action, int length) {}

    /** The rules for one type of event. */
    private final class Plan {
        private final List<Place> places = new ArrayList<>();
        private final Map<Kind, Choice> kinds = new EnumMap<>(Kind.class);

        Plan(List<MaskingRule> applying) {
            for (int i = 0; i < applying.size(); i++) {
                var rule = applying.get(i);
                var kind = rule.kind();
                if (kind != null) {
                    kinds.putIfAbsent(kind, new Choice(i, rule.action(), length(rule)));
                } else {
                    places.add(new Place(i, steps(rule), rule));
                }
            }
            DEFAULTS.forEach((kind, action) ->
                    kinds.putIfAbsent(kind, new Choice(Integer.MAX_VALUE, action, DEFAULT_LENGTH)));
        }

        Changed part(String name, JsonNode part) {
            if (part.isEmpty()) {
                return Changed.NO;
            }
            return child(name, part, FieldNames.of(""), places, 0);
        }

        /** A value below a name, for which a rule may name the place. */
        private Changed child(
                String name,
                JsonNode value,
                FieldNames.Meaning meaning,
                List<Place> open,
                int depth) {
            if (open.isEmpty()) {
                return walk(value, meaning, open, depth);
            }
            var below = new ArrayList<Place>(0);
            Place here = null;
            for (var place : open) {
                if (place.at(depth, name)) {
                    if (place.steps().length == depth + 1) {
                        here = here == null ? place : here;
                    } else {
                        below.add(place);
                    }
                }
            }
            if (here != null && !beaten(here, value, meaning)) {
                return apply(here.rule().action(), length(here.rule()), value);
            }
            return walk(value, meaning, below, depth + 1);
        }

        /** Whether a rule for what the value is stands before the one for its place. */
        private boolean beaten(Place place, JsonNode value, FieldNames.Meaning meaning) {
            var kind = value.isString() ? whole(value.stringValue(), meaning) : null;
            var choice = kind == null ? null : kinds.get(kind);
            return choice != null && choice.order() < place.order();
        }

        Changed walk(JsonNode node, FieldNames.Meaning meaning, List<Place> open, int depth) {
            return switch (node.getNodeType()) {
                case OBJECT -> object((ObjectNode) node, open, depth);
                case ARRAY -> array((ArrayNode) node, meaning, open, depth);
                case STRING -> string(node.stringValue(), meaning);
                case NUMBER -> number(node, meaning);
                default -> Changed.NO;
            };
        }

        private Changed object(ObjectNode object, List<Place> open, int depth) {
            ObjectNode copy = null;
            for (var field : object.properties()) {
                var name = field.getKey();
                var changed = child(name, field.getValue(), FieldNames.of(name), open, depth);
                var shown = name.length() < 6 ? name : inText(name);
                if (changed.equals(Changed.NO) && shown.equals(name)) {
                    if (copy != null) {
                        copy.set(name, field.getValue());
                    }
                    continue;
                }
                if (copy == null) {
                    copy = JsonNodeFactory.instance.objectNode();
                    for (var before : object.properties()) {
                        if (before.getKey().equals(name)) {
                            break;
                        }
                        copy.set(before.getKey(), before.getValue());
                    }
                }
                var value = changed.equals(Changed.NO) ? field.getValue() : changed.value();
                if (value != null) {
                    copy.set(shown, value);
                }
            }
            return copy == null ? Changed.NO : new Changed(copy);
        }

        private Changed array(
                ArrayNode array, FieldNames.Meaning meaning, List<Place> open, int depth) {
            ArrayNode copy = null;
            for (int i = 0; i < array.size(); i++) {
                var value = array.required(i);
                var changed = child(Integer.toString(i), value, meaning, open, depth);
                if (copy == null && !changed.equals(Changed.NO)) {
                    copy = JsonNodeFactory.instance.arrayNode();
                    for (int j = 0; j < i; j++) {
                        copy.add(array.required(j));
                    }
                }
                if (copy != null) {
                    var kept = changed.equals(Changed.NO) ? value : changed.value();
                    if (kept != null) {
                        copy.add(kept);
                    }
                }
            }
            return copy == null ? Changed.NO : new Changed(copy);
        }

        private Changed string(String text, FieldNames.Meaning meaning) {
            if (meaning.id() || text.isEmpty()) {
                return Changed.NO;
            }
            if (meaning.secret()) {
                return Changed.GONE;
            }
            var kind = whole(text, meaning);
            if (kind != null) {
                return apply(kind, text);
            }
            var free = meaning.kind() == Kind.FREE_TEXT ? kinds.get(Kind.FREE_TEXT) : null;
            if (free != null) {
                return apply(
                        free.action(), free.length(), JsonNodeFactory.instance.stringNode(text));
            }
            var masked = inText(text);
            return masked.equals(text) ? Changed.NO : Changed.to(masked);
        }

        /** What the whole of a text is; null when it is none of the kinds, or holds more. */
        private @Nullable Kind whole(String text, FieldNames.Meaning meaning) {
            var named = meaning.kind();
            if (named != null && named != Kind.FREE_TEXT && fits(named, text)) {
                return named;
            }
            var found = Recogniser.find(text);
            if (found.size() != 1) {
                return null;
            }
            var one = found.getFirst();
            return one.from() == text.length() - text.stripLeading().length()
                            && one.to() == text.stripTrailing().length()
                    ? one.kind()
                    : null;
        }

        private Changed number(JsonNode number, FieldNames.Meaning meaning) {
            if (!number.isIntegralNumber() || meaning.id()) {
                return Changed.NO;
            }
            if (meaning.secret()) {
                return Changed.GONE;
            }
            var text = number.asString();
            var named = meaning.kind();
            if (named != null && named != Kind.IP && named != Kind.EMAIL && fits(named, text)) {
                return apply(named, text);
            }
            return text.length() >= 14 && Recogniser.isCard(text)
                    ? apply(Kind.CARD, text)
                    : Changed.NO;
        }

        private Changed apply(Kind kind, String text) {
            var choice = kinds.get(kind);
            if (choice == null || choice.action() == Action.KEEP) {
                return Changed.NO;
            }
            return switch (choice.action()) {
                case HASH -> Changed.to(hash(kind, text));
                case GENERALISE -> {
                    var network = Addresses.network(text.strip());
                    yield network == null ? Changed.GONE : changed(text, network);
                }
                default ->
                        apply(
                                choice.action(),
                                choice.length(),
                                JsonNodeFactory.instance.stringNode(text));
            };
        }

        private Changed apply(Action action, int length, JsonNode value) {
            return switch (action) {
                case KEEP -> Changed.NO;
                case DROP -> Changed.GONE;
                case HASH ->
                        Changed.to(
                                "hash:"
                                        + digest(
                                                value.isString()
                                                        ? value.stringValue()
                                                        : value.toString()));
                case TRUNCATE ->
                        value.isValueNode()
                                ? changed(value.asString(), truncated(value.asString(), length))
                                : Changed.GONE;
                case GENERALISE -> {
                    var network =
                            value.isString()
                                    ? Addresses.network(value.stringValue().strip())
                                    : null;
                    yield network == null ? Changed.GONE : changed(value.stringValue(), network);
                }
            };
        }

        private static Changed changed(String before, String after) {
            return before.equals(after) ? Changed.NO : Changed.to(after);
        }

        /** Replaces each finding in a longer text. */
        String inText(String text) {
            var found = Recogniser.find(text);
            if (found.isEmpty()) {
                return text;
            }
            var out = new StringBuilder(text.length());
            int at = 0;
            for (var one : found) {
                out.append(text, at, one.from());
                var value = text.substring(one.from(), one.to());
                out.append(replacement(one.kind(), value));
                at = one.to();
            }
            return out.append(text, at, text.length()).toString();
        }

        private String replacement(Kind kind, String value) {
            var choice = Objects.requireNonNull(kinds.get(kind));
            return switch (choice.action()) {
                case KEEP -> value;
                case DROP -> "[" + name(kind) + "]";
                case HASH -> "[" + hash(kind, value) + "]";
                case TRUNCATE -> truncated(value, choice.length());
                case GENERALISE ->
                        Objects.requireNonNullElse(
                                Addresses.network(value), "[" + name(kind) + "]");
            };
        }
    }

    /** Whether a value under a telling name is what the name says; a phone called "home" is none. */
    private static boolean fits(Kind kind, String text) {
        return switch (kind) {
            case EMAIL -> !text.isBlank();
            case PHONE -> digits(text).length() >= 8;
            case CPF -> digits(text).length() == 11;
            case CARD -> digits(text).length() >= 12;
            case IP -> Addresses.network(text.strip()) != null;
            case FREE_TEXT -> false;
        };
    }

    private String hash(Kind kind, String text) {
        var same =
                switch (kind) {
                    case EMAIL -> text.strip().replace("%40", "@").toLowerCase(Locale.ROOT);
                    case PHONE, CPF, CARD -> digits(text);
                    default -> text;
                };
        return name(kind) + ":" + digest(same);
    }

    private String digest(String text) {
        try {
            var sha = MessageDigest.getInstance("SHA-256");
            sha.update(salt);
            var hash = sha.digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, HASH_DIGITS / 2);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static String digits(String text) {
        var digits = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= '0' && c <= '9') {
                digits.append(c);
            }
        }
        return digits.toString();
    }

    private static String truncated(String text, int length) {
        return text.codePointCount(0, text.length()) <= length
                ? text
                : text.substring(0, text.offsetByCodePoints(0, length));
    }

    private static String name(Kind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    private static int length(MaskingRule rule) {
        return Objects.requireNonNullElse(rule.length(), DEFAULT_LENGTH);
    }

    /** The steps of a pointer into the canonical event; both shapes of the data are one place. */
    private static String[] steps(MaskingRule rule) {
        var pointer = Objects.requireNonNull(rule.pointer());
        if (pointer.startsWith("/payload/")) {
            pointer = "/data" + pointer.substring("/payload".length());
        } else if (pointer.startsWith("/event_type/data/")) {
            pointer = pointer.substring("/event_type".length());
        }
        var steps = pointer.substring(1).split("/", -1);
        for (int i = 0; i < steps.length; i++) {
            steps[i] = steps[i].replace("~1", "/").replace("~0", "~");
        }
        return steps;
    }
}
