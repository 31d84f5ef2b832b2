package io.mirante.etl.features;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.etl.RawRecords;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Random histories of users, with ties in time, sessions, currencies, zero amounts. The same for the same seed. */
public final class RandomEvents {

    private static final String[] TYPES = {
        "page_view",
        "product_view",
        "add_to_cart",
        "checkout_started",
        "purchase",
        "purchase",
        "refund",
        "sign_up",
        "search",
        "click",
        "csat.submitted",
        "subscription_started",
        "subscription_cancelled",
        "ticket.created",
        "deposit",
        "withdrawal",
        "bet_placed",
        "bet_placed",
        "identify"
    };

    private static final String[] GAMES = {"Casino", "sports", "crash", "poker", "slots", "other"};

    /** Whatever text there may be. */
    private static final String[] CATEGORIES = {"c0", "", "c\\r\u001e", "=\u001fc\\"};

    private RandomEvents() {}

    static List<Recount.Event> history(Random random, Instant end, int events, int overDays) {
        var history = new ArrayList<Recount.Event>();
        for (int i = 0; i < events; i++) {
            var at =
                    end.minus(
                                    random.nextInt(4) == 0
                                            ? Duration.ofHours(random.nextInt(overDays * 24))
                                            : Duration.ofSeconds(
                                                    random.nextLong(overDays * 86_400L)))
                            .plus(random.nextInt(1_000), ChronoUnit.MICROS);
            var type = TYPES[random.nextInt(TYPES.length)];
            boolean bet = type.equals("bet_placed");
            boolean money =
                    bet
                            || type.equals("purchase")
                            || type.equals("refund")
                            || type.equals("deposit")
                            || type.equals("withdrawal");
            history.add(
                    new Recount.Event(
                            RawRecords.id(),
                            type,
                            random.nextBoolean() ? null : "s" + random.nextInt(3),
                            at,
                            money
                                    ? random.nextInt(5) == 0
                                            ? "0"
                                            : random.nextInt(500) + "." + (10 + random.nextInt(90))
                                    : null,
                            money && random.nextInt(3) == 0
                                    ? random.nextBoolean() ? "USD" : "EUR"
                                    : null,
                            type.equals("csat.submitted") ? (double) random.nextInt(6) : null,
                            type.equals("product_view")
                                    ? CATEGORIES[random.nextInt(CATEGORIES.length)]
                                    : null,
                            bet ? GAMES[random.nextInt(GAMES.length)] : null,
                            random.nextInt(3) == 0 ? "ch" + random.nextInt(3) : null,
                            type.equals("identify") ? random.nextBoolean() : null));
        }
        return history;
    }

    static CanonicalEvent canonical(String user, Recount.Event event) {
        var data = new StringBuilder("{\"x\":1");
        if (event.amount() != null) {
            data.append(",\"amount\":\"").append(event.amount()).append('"');
        }
        if (event.currency() != null) {
            data.append(",\"currency\":\"").append(event.currency()).append('"');
        }
        if (event.score() != null) {
            data.append(",\"score\":").append(event.score().intValue());
        }
        put(data, "category", event.category());
        put(data, "game_type", event.game());
        put(data, "channel", event.channel());
        if (event.optIn() != null) {
            data.append(
                    ",\"traits\":{\"opt_in_games\":%1$s,\"opt_in_promotions\":\"%1$s\"}"
                            .formatted(event.optIn()));
        }
        return new CanonicalEvent(
                event.id(),
                event.type(),
                "web",
                user,
                null,
                event.session(),
                event.at(),
                null,
                false,
                1,
                RawRecords.json(data.append('}').toString()),
                RawRecords.json("{}"),
                RawRecords.json("{}"));
    }

    private static void put(StringBuilder data, String name, @Nullable String value) {
        if (value != null) {
            data.append(",\"%s\":%s".formatted(name, Json.mapper().writeValueAsString(value)));
        }
    }
}
