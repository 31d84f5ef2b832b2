package io.mirante.etl.log;

import io.mirante.contracts.events.CanonicalEvent;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Ids that name nobody, because many send them: what a program writes where it has no id, and placeholders that were never
 * filled in. Compared without case, surrounding blanks and quotes. Such an id is no person and merges nobody. Immutable.
 */
final class BlockedIds {

    private static final Set<String> NOBODY =
            Set.of(
                    "",
                    "null",
                    "nil",
                    "none",
                    "undefined",
                    "nan",
                    "n/a",
                    "true",
                    "false",
                    "-1",
                    "[object object]",
                    "{}",
                    "[]",
                    "anonymous",
                    "anon",
                    "guest",
                    "unknown",
                    "not_authenticated",
                    "id",
                    "user_id",
                    "userid",
                    "anonymous_id",
                    "anonymousid",
                    "distinct_id",
                    "distinctid",
                    "email");

    private final Set<String> blocked;
    private final int longest;

    /** The values every installation blocks, and more. */
    BlockedIds(Collection<String> more) {
        var all = new HashSet<>(NOBODY);
        more.forEach(value -> all.add(bare(value)));
        this.blocked = Set.copyOf(all);
        // an all-zero UUID, and some blanks around
        this.longest = 40 + all.stream().mapToInt(String::length).max().orElse(0);
    }

    boolean contains(String id) {
        if (id.length() > longest) {
            return false;
        }
        var bare = bare(id);
        return blocked.contains(bare) || bare.chars().allMatch(c -> c == '0' || c == '-');
    }

    /** The event as it counts: without ids that name nobody; the same instance when there are none. */
    CanonicalEvent without(CanonicalEvent event) {
        var userId = orNull(event.userId());
        var anonymousId = orNull(event.anonymousId());
        if (Objects.equals(userId, event.userId())
                && Objects.equals(anonymousId, event.anonymousId())) {
            return event;
        }
        return new CanonicalEvent(
                event.eventId(),
                event.eventType(),
                event.module(),
                userId,
                anonymousId,
                event.sessionId(),
                event.occurredAt(),
                event.timestampAsGiven(),
                event.critical(),
                event.schemaVersion(),
                event.data(),
                event.metadata(),
                event.context());
    }

    private @Nullable String orNull(@Nullable String id) {
        return id == null || contains(id) ? null : id;
    }

    private static String bare(String id) {
        int start = 0;
        int end = id.length();
        while (start < end && surrounds(id.charAt(start))) {
            start++;
        }
        while (start < end && surrounds(id.charAt(end - 1))) {
            end--;
        }
        return id.substring(start, end).toLowerCase(Locale.ROOT);
    }

    private static boolean surrounds(char c) {
        return c == '"' || c == '\'' || Character.isWhitespace(c);
    }
}
