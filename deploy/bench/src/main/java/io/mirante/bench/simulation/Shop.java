package io.mirante.bench.simulation;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What people do in the shop: visits that may become a sign-up, a cart, a purchase, a film watched. Immutable. */
final class Shop {
    private static final List<String> CATEGORIES =
            List.of("shirts", "scarves", "boots", "balls", "tickets", "posters");
    private static final List<String> SEARCHES =
            List.of("away shirt", "gift", "sale", "boots 42", "season ticket", "kids");
    private static final List<String> INTERACTIONS = List.of("like", "like", "comment", "share");
    private static final int PRODUCTS = 240;

    private final String run;

    /**
     * @param run first part of every event's id
     */
    Shop(String run) {
        this.run = run;
    }

    /** A registered customer's visit. The first visit of someone new starts anonymous and holds the sign-up. */
    List<SimulatedEvent> visit(
            Dice dice,
            Person person,
            Instant at,
            double activity,
            boolean signsUp,
            String name,
            double pace) {
        Storyline story = new Storyline(run + name, "s-" + run + name, context(person), at, pace);
        boolean known = !signsUp;
        story.as(known ? person.userId() : null, known ? null : person.anonymousId());
        home(story, dice);
        if (signsUp) {
            story.pause(dice, 20, 90).as(person.userId(), person.anonymousId());
            Map<String, Object> data = new LinkedHashMap<>();
            data.put("method", dice.chance(0.7) ? "email" : "google");
            data.put("plan", person.subscriber() ? "club" : "free");
            data.put("traits", person.traits());
            story.web("sign_up", data).as(person.userId(), null);
        } else if (dice.chance(0.5)) {
            Map<String, Object> data = new LinkedHashMap<>();
            data.put("method", "password");
            data.put("traits", person.traits());
            story.pause(dice, 5, 30).web("login", data);
        }
        double appetite =
                person.segment().purchaseChance * person.eagerness() * (0.4 + 0.6 * activity);
        browse(
                story,
                dice,
                Math.min(0.8, appetite),
                person.medianPrice(),
                person.segment() == Segment.BARGAIN);
        if (dice.chance(person.segment() == Segment.LOYAL ? 0.3 : 0.1)) {
            Map<String, Object> data = new LinkedHashMap<>();
            data.put("interaction_type", dice.pick(INTERACTIONS));
            data.put("content_id", "post-" + dice.below(40));
            story.pause(dice, 5, 60).web("interaction", data);
        }
        if (person.subscriber() && dice.chance(0.5)) {
            story.pause(dice, 30, 300).web("content_watched", watched(dice));
        }
        return story.events();
    }

    /** A visit by somebody who never signs up. */
    List<SimulatedEvent> anonymousVisit(
            Dice dice, int visitor, Instant at, String name, double pace) {
        Storyline story = new Storyline(run + name, "s-" + run + name, null, at, pace);
        story.as(null, "visitor-%06d".formatted(visitor));
        home(story, dice);
        browse(story, dice, 0.03, 35, false);
        return story.events();
    }

    /** A subscription's beginning, renewal or end. */
    List<SimulatedEvent> subscription(Person person, String type, Instant at, String name) {
        Storyline story = new Storyline(run + name, null, null, at, 1).as(person.userId(), null);
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("plan", "club");
        data.put("amount", "9.90");
        data.put("currency", "USD");
        return story.web(type, data).events();
    }

    private static Map<String, Object> watched(Dice dice) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("content_id", "match-" + dice.below(60));
        data.put("duration_seconds", 60 + dice.below(5_400));
        return data;
    }

    private static void home(Storyline story, Dice dice) {
        story.web("page_view", page("/", "Home", dice));
    }

    private static void browse(
            Storyline story, Dice dice, double appetite, double medianPrice, boolean hunts) {
        if (dice.chance(hunts ? 0.6 : 0.25)) {
            story.pause(dice, 5, 40)
                    .web("search", Map.of("query", hunts ? "sale" : dice.pick(SEARCHES)));
        }
        boolean buys = dice.chance(appetite);
        int looks = (buys ? 1 : 0) + dice.below(3);
        List<Map<String, Object>> cart = new ArrayList<>();
        BigDecimal total = BigDecimal.ZERO;
        for (int i = 0; i < looks; i++) {
            int product = dice.below(PRODUCTS);
            String category = CATEGORIES.get(product % CATEGORIES.size());
            BigDecimal price = money(medianPrice * StrictMath.exp(0.3 * dice.normal()));
            if (dice.chance(0.4)) {
                story.pause(dice, 5, 60).web("page_view", page("/c/" + category, category, dice));
            }
            Map<String, Object> seen = new LinkedHashMap<>();
            seen.put("product_id", "sku-" + product);
            seen.put("category", category);
            seen.put("price", price.toPlainString());
            seen.put("currency", "USD");
            story.pause(dice, 8, 120).web("product_view", seen);
            boolean takes = (buys && i == 0) || dice.chance(buys ? 0.4 : 0.18);
            if (takes) {
                int quantity = dice.chance(0.85) ? 1 : 2 + dice.below(2);
                Map<String, Object> item = new LinkedHashMap<>();
                item.put("product_id", "sku-" + product);
                item.put("quantity", quantity);
                item.put("price", price.toPlainString());
                Map<String, Object> added = new LinkedHashMap<>(item);
                added.put("currency", "USD");
                story.pause(dice, 5, 60).web("add_to_cart", added);
                cart.add(item);
                total = total.add(price.multiply(BigDecimal.valueOf(quantity)));
            }
        }
        if (!buys) {
            return;
        }
        story.pause(dice, 10, 60)
                .web("checkout_started", amount(total, Map.of("items", List.copyOf(cart))));
        story.pause(dice, 30, 180)
                .web(
                        "purchase",
                        amount(
                                total,
                                Map.of(
                                        "items",
                                        List.copyOf(cart),
                                        "order_id",
                                        "order-" + Long.toHexString(dice.next()))));
    }

    private static Map<String, Object> amount(BigDecimal total, Map<String, Object> more) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("amount", total.toPlainString());
        data.put("currency", "USD");
        for (String key : List.of("order_id", "items")) {
            if (more.containsKey(key)) {
                data.put(key, more.get(key));
            }
        }
        return data;
    }

    private static Map<String, Object> page(String path, String title, Dice dice) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("url", path);
        data.put("title", title);
        data.put("duration_ms", 800 + dice.below(60_000));
        return data;
    }

    private static BigDecimal money(double value) {
        return BigDecimal.valueOf(Math.max(0.5, value)).setScale(2, RoundingMode.HALF_UP);
    }

    private static @Nullable Map<String, Object> context(Person person) {
        Person.Device device = person.device();
        Map<String, Object> deviceJson = new LinkedHashMap<>();
        deviceJson.put("device_type", device.type());
        deviceJson.put("os", device.os());
        deviceJson.put("browser", device.browser());
        deviceJson.put("screen_resolution", List.of(device.width(), device.height()));
        Map<String, Object> location = new LinkedHashMap<>();
        location.put("country", person.home().country());
        location.put("city", person.home().city());
        location.put("timezone", person.home().timezone());
        Map<String, Object> context = new LinkedHashMap<>();
        context.put("device", deviceJson);
        context.put("location", location);
        return context;
    }
}
