package io.mirante.contracts.gateway;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one service removed of a person. On {@code mirante.erasures.done}, key tenant and hash; twice when files and the like take longer.
 *
 * @param erasureId of the erasure it answers
 * @param service short name
 * @param removed empty = it held nothing
 * @param personNos numbers the person had; from etl alone
 * @param unfinished whether there is more to remove, and another answer to come with all of it; null (of earlier versions) = no
 */
public record PersonErased(
        String tenantId,
        String userHash,
        String erasureId,
        String service,
        Instant erasedAt,
        List<Removal> removed,
        List<Long> personNos,
        @Nullable Boolean unfinished) {

    public PersonErased {
        removed = List.copyOf(removed);
        personNos = List.copyOf(personNos);
    }

    /** Whether it says all that was removed. */
    public boolean finished() {
        return !Boolean.TRUE.equals(unfinished);
    }

    /**
     * One place.
     *
     * @param where a table, topic or kind of file
     * @param how {@code deleted}, {@code blanked} (the row stays without what identifies) or {@code tombstone}
     * @param count rows, records or files; 1 or more
     */
    public record Removal(String where, String how, long count) {

        public static final String DELETED = "deleted";
        public static final String BLANKED = "blanked";
        public static final String TOMBSTONE = "tombstone";
    }
}
