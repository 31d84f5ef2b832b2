package io.mirante.etl.features;

import java.math.BigDecimal;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * What features read of an event, as {@code analytics_event.fact} has it (see V015).
 *
 * @param at microseconds since 1970
 * @param known whether the event names a user
 * @param session tells sessions apart; null = the event has none
 * @param game lower case, of bets alone
 * @param optInGames 1 or 0, of identify alone
 * @param optInPromotions likewise
 * @param id of identify and of subscriptions, where the last word counts; else empty
 */
record Fact(
        long at,
        String type,
        boolean known,
        @Nullable String session,
        @Nullable BigDecimal amount,
        @Nullable String currency,
        @Nullable Double score,
        @Nullable String category,
        @Nullable String channel,
        @Nullable String game,
        @Nullable Double optInGames,
        @Nullable Double optInPromotions,
        String id) {

    static final Comparator<Fact> IN_ORDER =
            Comparator.comparingLong(Fact::at).thenComparing(Fact::id);

    /** Lies between the facts of a text. */
    private static final char END = '\u001e';

    private static final char FIELD_END = '\u001f';
    private static final int TIME_LENGTH = 16;
    private static final int HEX = 16;

    /** From 1970 to 2000, where PostgreSQL counts from. */
    private static final long EPOCH = 946_684_800_000_000L;

    /** Reads the facts of a text one by one. */
    static final class Reader {

        private final String text;
        private int at;

        /** Of facts, each after its time: 16 digits of {@code timestamptz_send}. */
        Reader(String text) {
            this.text = text;
        }

        boolean hasNext() {
            return at < text.length();
        }

        Fact next() {
            long time = Long.parseUnsignedLong(text, at, at + TIME_LENGTH, HEX) + EPOCH;
            at += TIME_LENGTH;
            var type = text(field());
            boolean known = field() != null;
            var session = field();
            var amount = field();
            var currency = field();
            var score = field();
            var category = text(field());
            var channel = text(field());
            var game = text(field());
            var optInGames = number(field());
            var optInPromotions = number(field());
            int end = text.indexOf(END, at);
            end = end < 0 ? text.length() : end;
            var id = end > at ? text(text.substring(at, end)) : "";
            at = end + 1;
            return new Fact(
                    time,
                    type == null ? "" : type,
                    known,
                    session,
                    amount == null ? null : new BigDecimal(amount),
                    currency,
                    number(score),
                    category,
                    channel,
                    game,
                    optInGames,
                    optInPromotions,
                    id == null ? "" : id);
        }

        private @Nullable String field() {
            int end = text.indexOf(FIELD_END, at);
            var field = end > at ? text.substring(at, end) : null;
            at = end + 1;
            return field;
        }

        private static @Nullable Double number(@Nullable String field) {
            return field == null ? null : Double.valueOf(field);
        }

        /** As {@code fact_text} wrote it: after a sign that tells an empty text from none. */
        private static @Nullable String text(@Nullable String field) {
            if (field == null || field.indexOf('\\') < 0) {
                return field == null ? null : field.substring(1);
            }
            var text = new StringBuilder();
            for (int i = 1; i < field.length(); i++) {
                char c = field.charAt(i);
                if (c == '\\') {
                    i++;
                    c =
                            switch (field.charAt(i)) {
                                case 'r' -> END;
                                case 'f' -> FIELD_END;
                                default -> '\\';
                            };
                }
                text.append(c);
            }
            return text.toString();
        }
    }
}
