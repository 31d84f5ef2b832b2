package io.mirante.contracts.events;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import io.mirante.contracts.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The registry of known event types. The schema of a type's data is the resource {@code schemas/<type>/v<n>.json}; an
 * event that must stay valid for ever is {@code samples/<type>/v<n>.json}. Within a version only optional fields are
 * added; a break is a new version.
 */
public final class EventTypes {

    private static final int MAX_NAME_LENGTH = 100;

    private static final SchemaRegistry SCHEMAS =
            SchemaRegistry.withDefaultDialect(
                    SpecificationVersion.DRAFT_2020_12,
                    builder ->
                            builder.schemaRegistryConfig(
                                    SchemaRegistryConfig.builder().locale(Locale.ENGLISH).build()));

    private static final Map<String, EventType> TYPES = new Catalog().types;

    private EventTypes() {}

    /** Every known type, in the order of the documentation. */
    public static Collection<EventType> all() {
        return TYPES.values();
    }

    /** The known type with this canonical name; null for a custom type. */
    public static @Nullable EventType find(String canonicalName) {
        return TYPES.get(canonicalName);
    }

    /** {@link EventType#mainProperty}, null for custom types. */
    public static @Nullable String mainProperty(String canonicalName, JsonNode data) {
        var type = TYPES.get(canonicalName);
        return type == null ? null : type.mainProperty(data);
    }

    /** Whether events of a type, custom ones included, go ahead of the rest. */
    public static boolean isCriticalName(String canonicalName) {
        return canonicalName.endsWith(".sla_breached")
                || canonicalName.endsWith(".failed")
                || canonicalName.equals("core.error");
    }

    /**
     * The snake_case form under which names are compared: {@code PageView}, {@code page-view} and {@code Page View} are
     * {@code page_view}; {@code conversation.firstReply} is {@code conversation.first_reply}. Letters and digits of any
     * script stay, dots separate, every other run of characters becomes one underscore. Empty when nothing is left;
     * idempotent.
     */
    public static String canonicalName(String name) {
        return isCanonical(name) ? name : toSnakeCase(name);
    }

    /** The longest canonical name accepted, in characters. */
    public static int maxNameLength() {
        return MAX_NAME_LENGTH;
    }

    /** The schema document of a known type's data, for documentation. */
    public static JsonNode schema(EventType type, int version) {
        return type.schema(version).getSchemaNode();
    }

    /** The golden sample of a version: an event as a client sends it. */
    public static JsonNode sample(EventType type, int version) {
        return Json.mapper().readTree(resource(path("samples", type.name(), version)));
    }

    private static boolean isCanonical(String name) {
        char before = '.';
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean separator = c == '.' || c == '_';
            boolean letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
            if (!(letter || (separator && before != '.' && before != '_'))) {
                return false;
            }
            before = c;
        }
        return !name.isEmpty() && before != '.' && before != '_';
    }

    private static String toSnakeCase(String name) {
        var out = new StringBuilder(name.length() + 8);
        int before = 0;
        int length = name.length();
        for (int i = 0; i < length; ) {
            int c = name.codePointAt(i);
            i += Character.charCount(c);
            if (!Character.isLetterOrDigit(c)) {
                separate(out, c == '.' ? '.' : '_');
            } else {
                boolean upper = Character.isUpperCase(c);
                boolean nextLower = i < length && Character.isLowerCase(name.codePointAt(i));
                boolean afterLower = Character.isLowerCase(before) || Character.isDigit(before);
                if (upper && (afterLower || (Character.isUpperCase(before) && nextLower))) {
                    separate(out, '_');
                }
                out.appendCodePoint(Character.toLowerCase(c));
            }
            before = c;
        }
        int end = out.length();
        while (end > 0 && (out.charAt(end - 1) == '_' || out.charAt(end - 1) == '.')) {
            end--;
        }
        return out.substring(0, end);
    }

    /** One separator between two words; a dot wins over an underscore. */
    private static void separate(StringBuilder out, char separator) {
        if (out.isEmpty()) {
            return;
        }
        int last = out.length() - 1;
        if (out.charAt(last) == '_') {
            out.setCharAt(last, separator);
        } else if (out.charAt(last) != '.') {
            out.append(separator);
        }
    }

    private static String path(String folder, String type, int version) {
        return "/" + folder + "/" + type + "/v" + version + ".json";
    }

    private static byte[] resource(String path) {
        try (var in = EventTypes.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("resource " + path + " is missing");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The list itself, in the order of the documentation. */
    private static final class Catalog {
        final Map<String, EventType> types;

        Catalog() {
            var all = new LinkedHashMap<String, EventType>();
            person(all, Module.WEB, "page_view", Catalog::pagePath);
            person(all, Module.WEB, "click", field("element"));
            person(all, Module.WEB, "search", field("query"));
            person(all, Module.WEB, "sign_up", field("method"));
            person(all, Module.WEB, "login", field("method"));
            person(all, Module.WEB, "screen_view", field("name"));
            person(all, Module.WEB, "identify", data -> null);
            person(all, Module.WEB, "alias", field("previous_id"));
            person(all, Module.WEB, "group", field("group_id"));

            person(all, Module.COMMERCE, "product_view", field("product_id"));
            person(all, Module.COMMERCE, "add_to_cart", field("product_id"));
            person(all, Module.COMMERCE, "remove_from_cart", field("product_id"));
            person(all, Module.COMMERCE, "checkout_started", field("cart_id"));
            person(all, Module.COMMERCE, "purchase", field("amount"));
            person(all, Module.COMMERCE, "refund", field("amount"));

            person(all, Module.FAN, "interaction", field("interaction_type"));
            person(all, Module.FAN, "subscription_started", field("plan"));
            person(all, Module.FAN, "subscription_renewed", field("plan"));
            person(all, Module.FAN, "subscription_cancelled", field("plan"));
            person(all, Module.FAN, "content_watched", field("content_id"));

            person(all, Module.GAMING, "deposit", field("amount"));
            person(all, Module.GAMING, "withdrawal", field("amount"));
            person(all, Module.GAMING, "bet_placed", field("game_type"));
            person(all, Module.GAMING, "bet_settled", field("game_type"));

            for (var what :
                    List.of(
                            "created",
                            "assigned",
                            "handed_off",
                            "first_reply",
                            "resolved",
                            "reopened")) {
                entity(all, Module.MESSAGING, "conversation." + what, "channel", "conversation_id");
            }
            entity(all, Module.MESSAGING, "message.sent", "channel", "conversation_id");
            entity(all, Module.MESSAGING, "message.received", "channel", "conversation_id");
            entity(all, Module.MESSAGING, "quick_reply.used", "quick_reply_id", "conversation_id");

            for (var what :
                    List.of(
                            "created",
                            "first_reply",
                            "resolved",
                            "reopened",
                            "closed",
                            "sla_breached")) {
                entity(all, Module.TICKETS, "ticket." + what, "priority", "ticket_id");
            }
            entity(all, Module.TICKETS, "csat.submitted", "score", "ticket_id", "conversation_id");

            entity(all, Module.AUTOMATION, "automation.executed", "automation_id", "automation_id");
            entity(all, Module.AUTOMATION, "automation.failed", "automation_id", "automation_id");
            entity(all, Module.CHANNELS, "channel.health_changed", "status", "channel");
            entity(all, Module.CORE, "agent.status_changed", "status", "agent");
            entity(all, Module.KNOWLEDGE, "knowledge.article_viewed", "article_id", "article_id");
            entity(
                    all,
                    Module.INTERNAL_CHAT,
                    "internal_chat.message_sent",
                    "conversation_id",
                    "conversation_id");
            entity(all, Module.CORE, "core.error", "code");
            entity(all, Module.CORE, "segmentation.requested", "reason");
            types = Collections.unmodifiableMap(all);
        }

        private static void person(
                Map<String, EventType> all,
                Module module,
                String name,
                Function<JsonNode, @Nullable String> mainProperty) {
            all.put(name, new EventType(name, module, List.of(), mainProperty, schemas(name, 1)));
        }

        private static void entity(
                Map<String, EventType> all,
                Module module,
                String name,
                String mainField,
                String... entityFields) {
            all.put(
                    name,
                    new EventType(
                            name,
                            module,
                            List.of(entityFields),
                            field(mainField),
                            schemas(name, 1)));
        }

        private static Function<JsonNode, @Nullable String> field(String name) {
            return data -> Text.of(data, name);
        }

        private static List<Schema> schemas(String type, int versions) {
            var schemas = new ArrayList<Schema>();
            for (int version = 1; version <= versions; version++) {
                var text =
                        new String(
                                resource(path("schemas", type, version)), StandardCharsets.UTF_8);
                var schema = SCHEMAS.getSchema(text, InputFormat.JSON);
                schema.initializeValidators();
                schemas.add(schema);
            }
            return schemas;
        }

        /** Path of the URL: without scheme, host, query and fragment; {@code /} when empty. */
        private static @Nullable String pagePath(JsonNode data) {
            var url = Text.of(data, "url");
            if (url == null) {
                return null;
            }
            int start = 0;
            int scheme = url.indexOf("://");
            int authority = scheme >= 0 ? scheme + 3 : url.startsWith("//") ? 2 : -1;
            if (authority >= 0 && url.lastIndexOf('/', authority - 3) < 0) {
                start = firstOf(url, authority, "/?#");
            }
            int end = firstOf(url, start, "?#");
            return start == end ? "/" : url.substring(start, end);
        }

        private static int firstOf(String text, int from, String characters) {
            for (int i = from; i < text.length(); i++) {
                if (characters.indexOf(text.charAt(i)) >= 0) {
                    return i;
                }
            }
            return text.length();
        }
    }
}
