package io.mirante.bench.simulation;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A registered customer, drawn once. Days count from the simulation's start and may be fractional.
 *
 * @param joinsOnDay day of sign-up; negative = was a customer before the history begins
 * @param leavesOnDay day after which nothing more comes from this person; may lie beyond the history
 */
record Person(
        int number,
        Segment segment,
        double joinsOnDay,
        double leavesOnDay,
        double eagerness,
        double medianPrice,
        boolean subscriber,
        Home home,
        Device device) {

    /** Weeks over which somebody about to leave slows down. */
    private static final double FADING_DAYS = 18;

    record Home(String country, String city, String timezone) {}

    record Device(String type, String os, String browser, int width, int height) {}

    private static final List<Home> HOMES =
            List.of(
                    new Home("BR", "São Paulo", "America/Sao_Paulo"),
                    new Home("BR", "Recife", "America/Recife"),
                    new Home("BR", "Porto Alegre", "America/Sao_Paulo"),
                    new Home("PT", "Lisboa", "Europe/Lisbon"),
                    new Home("US", "Austin", "America/Chicago"),
                    new Home("DE", "Köln", "Europe/Berlin"));
    private static final List<Device> DEVICES =
            List.of(
                    new Device("Mobile", "Android", "Chrome", 412, 915),
                    new Device("Mobile", "iOS", "Safari", 390, 844),
                    new Device("Desktop", "Windows", "Chrome", 1920, 1080),
                    new Device("Desktop", "macOS", "Safari", 1728, 1117),
                    new Device("Tablet", "iPadOS", "Safari", 820, 1180));

    static Person draw(long seed, int number, double historyDays) {
        Dice dice = new Dice(seed, 1, number);
        Segment segment = Segment.of(dice.uniform());
        double joins = dice.chance(0.62) ? -1 : dice.uniform() * historyDays * 0.85;
        double stays = -StrictMath.log(1 - dice.uniform()) / segment.leavesPerWeek * 7;
        double eagerness = StrictMath.exp(0.35 * dice.normal());
        double price = segment.medianPrice * StrictMath.exp(0.25 * dice.normal());
        boolean subscriber = dice.chance(segment.subscribes);
        return new Person(
                number,
                segment,
                joins,
                Math.max(joins, 0) + stays,
                eagerness,
                price,
                subscriber,
                dice.pick(HOMES),
                dice.pick(DEVICES));
    }

    String userId() {
        return "shop-%06d".formatted(number);
    }

    String anonymousId() {
        return "browser-%06d".formatted(number);
    }

    /** What a client tells about the person when they sign up or in. */
    Map<String, Object> traits() {
        Map<String, Object> traits = new LinkedHashMap<>();
        traits.put("city", home.city());
        traits.put("opt_in_games", number % 3 == 0);
        traits.put("opt_in_promotions", segment == Segment.BARGAIN || number % 4 == 0);
        return traits;
    }

    /** How active the person is on a day: 0 before and after, 1 as usual, down to 0.25 in the last days. */
    double activity(double day) {
        if (day < Math.floor(joinsOnDay) || day >= leavesOnDay) {
            return 0;
        }
        double left = leavesOnDay - day;
        return left >= FADING_DAYS ? 1 : 0.25 + 0.75 * left / FADING_DAYS;
    }

    boolean joinsOn(int day) {
        return joinsOnDay >= 0 && (int) joinsOnDay == day;
    }
}
