package io.mirante.etl.features;

import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Events of some users of a batch in columns, some 60 bytes an event, to be folded user by user. Filled by one thread.
 */
final class HeldEvents {

    /** Columns of texts, of which places in a list of words are held. */
    static final List<String> TEXTS =
            List.of("event_type", "currency", "category", "channel", "game_type");

    private static final int FIRST_TEXT = 3;
    private static final int TYPE = 0;
    private static final int CURRENCY = 1;
    private static final int CATEGORY = 2;
    private static final int CHANNEL = 3;
    private static final int GAME = 4;

    /** Decimals that an amount is tried with before its digits are asked. */
    private static final int[] SCALES = {2, 4, 8};

    private static final double[] POWERS = {1e2, 1e4, 1e8};

    /** Of numbers with 15 digits no two are the same double. */
    private static final double EXACT = 1e15;

    private static final long NO_SESSION = -1;

    private final List<String> words;
    private final int users;
    private final int[] user;
    private final long[] at;
    private final int[][] texts;
    private final long[] session;
    private final double[] amount;
    private final @Nullable Rare[] rare;
    private int count;

    /** What few events have. */
    private record Rare(
            @Nullable Double score,
            @Nullable Double optInGames,
            @Nullable Double optInPromotions,
            String id) {
        static final Rare NOTHING = new Rare(null, null, null, "");
    }

    /**
     * With place for so many.
     *
     * @param users their numbers are below
     */
    HeldEvents(int events, int users, List<String> words) {
        this.words = words;
        this.users = users;
        this.user = new int[events];
        this.at = new long[events];
        this.texts = new int[TEXTS.size()][events];
        this.session = new long[events];
        this.amount = new double[events];
        this.rare = new Rare[events];
    }

    /**
     * What {@link #add} reads: of a table e with the columns of {@link FeatureQuery}, joined with its numbered person p and, for each
     * text, with its word {@code of_…}. Sessions are told apart by their hashes: two of a user's would have to meet in 63 bits.
     */
    static String columns() {
        return """
        p.no::int AS no, epoch_us(e.occurred_at) AS micros, %s, CASE WHEN e.session_id IS NOT NULL THEN (hash(e.session_id) // 2)::bigint END AS session,
            CASE WHEN isfinite(e.amount::double) THEN e.amount::double END AS money, e.score::double AS score,
            e.opt_in_games::double AS opt_in_games, e.opt_in_promotions::double AS opt_in_promotions,
            CASE WHEN e.event_type IN ('identify', 'subscription_started', 'subscription_renewed', 'subscription_cancelled')
                THEN CASE WHEN typeof(e.id) = 'BIGINT' THEN lpad(e.id::varchar, 19, '0') ELSE e.id::varchar END END AS id\
        """
                .formatted(
                        TEXTS.stream()
                                .map("coalesce(of_%1$s.code, -1)::int AS %1$s"::formatted)
                                .collect(Collectors.joining(", ")));
    }

    /** Takes a row. */
    void add(ResultSet row) throws SQLException {
        int i = count;
        user[i] = row.getInt(1);
        at[i] = row.getLong(2);
        for (int text = 0; text < texts.length; text++) {
            texts[text][i] = row.getInt(FIRST_TEXT + text);
        }
        long sessionHash = row.getLong(8);
        session[i] = row.wasNull() ? NO_SESSION : sessionHash;
        double money = row.getDouble(9);
        amount[i] = row.wasNull() ? Double.NaN : money;
        var score = number(row, 10);
        var games = number(row, 11);
        var promotions = number(row, 12);
        var id = row.getString(13);
        if (score != null || games != null || promotions != null || id != null) {
            rare[i] = new Rare(score, games, promotions, id == null ? "" : id);
        }
        count++;
    }

    private static @Nullable Double number(ResultSet row, int column) throws SQLException {
        double value = row.getDouble(column);
        return row.wasNull() ? null : value;
    }

    /** Each event, in the order in which they were added. */
    void forEach(Consumer<Fact> taken) {
        for (int i = 0; i < count; i++) {
            taken.accept(fact(i));
        }
    }

    interface Fold {
        /** Takes what a user's events give; called by several threads. */
        void take(int user, Map<String, Object> features);
    }

    /** Folds each user's events on all processors; see {@link OwnFeatures#of}. */
    void fold(long asOf, String currency, Fold fold) {
        var end = new int[users];
        for (int i = 0; i < count; i++) {
            end[user[i]]++;
        }
        Arrays.parallelPrefix(end, Integer::sum);
        var order = new int[count];
        var next = end.clone();
        for (int i = count - 1; i >= 0; i--) {
            next[user[i]]--;
            order[next[user[i]]] = i;
        }
        IntStream.range(0, users)
                .parallel()
                .forEach(u -> {
                    int begin = u == 0 ? 0 : end[u - 1];
                    var facts = new ArrayList<Fact>(end[u] - begin);
                    for (int i = begin; i < end[u]; i++) {
                        facts.add(fact(order[i]));
                    }
                    fold.take(u, OwnFeatures.of(facts, asOf, currency));
                });
    }

    private Fact fact(int i) {
        var seldom = rare[i] == null ? Rare.NOTHING : rare[i];
        var type = text(TYPE, i);
        return new Fact(
                at[i],
                type == null ? "" : type,
                true,
                session[i] == NO_SESSION ? null : Long.toString(session[i]),
                money(amount[i]),
                text(CURRENCY, i),
                seldom.score(),
                text(CATEGORY, i),
                text(CHANNEL, i),
                text(GAME, i),
                seldom.optInGames(),
                seldom.optInPromotions(),
                seldom.id());
    }

    private @Nullable String text(int which, int i) {
        int word = texts[which][i];
        return word < 0 ? null : words.get(word);
    }

    /** The shortest decimal that is this number; null of NaN. */
    static @Nullable BigDecimal money(double amount) {
        if (Double.isNaN(amount)) {
            return null;
        }
        for (int i = 0; i < SCALES.length; i++) {
            double unscaled = Math.rint(amount * POWERS[i]);
            if (Math.abs(unscaled) < EXACT && unscaled / POWERS[i] == amount) {
                return BigDecimal.valueOf((long) unscaled, SCALES[i]);
            }
        }
        return BigDecimal.valueOf(amount);
    }
}
