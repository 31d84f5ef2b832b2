package io.mirante.contracts.gateway;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A person to be erased, and for ever after the mark that they were. On {@code mirante.erasures}, compacted, key tenant
 * and hash. It is published three times: as requested, when etl alone acts; with the numbers that etl had given the
 * person, when all others act; and, when all have answered, without the user's id, so that compaction removes the last
 * record that held it.
 *
 * @param userHash {@link #hash}
 * @param userId null once all have answered
 * @param erasureId id of the job; another one for the same person means: erase again
 * @param state {@link #REQUESTED}, {@link #NUMBERED} or {@link #COMPLETED}
 * @param erasedAt when etl erased; what was known of the user by then is the erased person's, what came later is somebody
 *     new; of the erasure before while a second one is only requested; null before the first
 * @param personNos all numbers the erased person had, also in earlier erasures
 * @param revision rises per person
 */
public record PersonErasure(
        String tenantId,
        String userHash,
        @Nullable String userId,
        String erasureId,
        String state,
        Instant requestedAt,
        @Nullable Instant erasedAt,
        List<Long> personNos,
        long revision) {

    /** Nobody has erased yet: etl goes first. */
    public static final String REQUESTED = "requested";

    /** etl has erased and said which numbers the person had: all others follow. */
    public static final String NUMBERED = "numbered";

    /** All have answered. */
    public static final String COMPLETED = "completed";

    public PersonErasure {
        personNos = List.copyOf(personNos);
    }

    /** The same once etl has erased. */
    public PersonErasure erased(Instant at, List<Long> numbers) {
        return new PersonErasure(
                tenantId, userHash, userId, erasureId, state, requestedAt, at, numbers, revision);
    }

    /** Hex SHA-256 of tenant and id, joined by a line feed: what a suppression list remembers instead of the id. */
    public static String hash(String tenantId, String userId) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of()
                    .formatHex(
                            digest.digest(
                                    (tenantId + "\n" + userId).getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
