package io.mirante.contracts.events;

import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The part of the business an event belongs to. The first seven are operational: their events need no person. */
public enum Module {
    MESSAGING,
    TICKETS,
    CHANNELS,
    AUTOMATION,
    KNOWLEDGE,
    INTERNAL_CHAT,
    CORE,
    WEB,
    COMMERCE,
    FAN,
    GAMING,
    MACHINE,
    CUSTOM;

    private static final Map<String, Module> BY_NAME =
            Stream.of(values()).collect(Collectors.toMap(Module::wireName, Function.identity()));

    private final String wireName = name().toLowerCase(Locale.ROOT);

    public String wireName() {
        return wireName;
    }

    /** Names its entities in the data and may come without user_id and anonymous_id. */
    public boolean operational() {
        return compareTo(CORE) <= 0;
    }

    /** The module with this wire name, or null. */
    public static @Nullable Module find(String wireName) {
        return BY_NAME.get(wireName);
    }

    /** Every wire name, for messages. */
    public static String allNames() {
        return Stream.of(values()).map(Module::wireName).collect(Collectors.joining(", "));
    }
}
