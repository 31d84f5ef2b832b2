package io.mirante.etl.quality;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Units that values may be given in, and what makes one of another. Only what is unmistakable is known: {@code Mg} is not {@code mg},
 * a gallon is not the same everywhere, a {@code $} is not everybody's dollar. Of amounts of money only the column's own currency is
 * taken away; nothing is exchanged.
 */
final class Units {

    /**
     * A unit.
     *
     * @param kind units of one kind become each other
     * @param factor of the kind's base unit
     * @param zero where it begins, in the base unit
     * @param spellings how values may say it, the first is its name
     */
    private record Unit(String kind, BigDecimal factor, BigDecimal zero, List<String> spellings) {

        String name() {
            return spellings.getFirst();
        }
    }

    private static final Map<String, Unit> BY_NAME = new LinkedHashMap<>();

    static {
        for (var unit :
                List.of(
                        unit("mass", "0.000001", "mg"),
                        unit("mass", "0.001", "g"),
                        unit("mass", "1", "kg", "Kg", "KG", "kgs"),
                        unit("mass", "1000", "t"),
                        unit("mass", "0.028349523125", "oz"),
                        unit("mass", "0.45359237", "lb", "lbs"),
                        unit("length", "0.001", "mm"),
                        unit("length", "0.01", "cm"),
                        unit("length", "1", "m"),
                        unit("length", "1000", "km", "Km", "KM"),
                        unit("length", "0.0254", "in"),
                        unit("length", "0.3048", "ft"),
                        unit("length", "0.9144", "yd"),
                        unit("length", "1609.344", "mi"),
                        unit("time", "0.001", "ms"),
                        unit("time", "1", "s", "sec"),
                        unit("time", "60", "min"),
                        unit("time", "3600", "h", "hr"),
                        unit("time", "86400", "d"),
                        unit("volume", "0.001", "ml", "mL"),
                        unit("volume", "0.01", "cl", "cL"),
                        unit("volume", "0.1", "dl", "dL"),
                        unit("volume", "1", "l", "L"),
                        unit("volume", "0.001", "cm3", "cm³"),
                        unit("volume", "1000", "m3", "m³"),
                        new Unit("temperature", BigDecimal.ONE, BigDecimal.ZERO, List.of("K")),
                        new Unit(
                                "temperature",
                                BigDecimal.ONE,
                                new BigDecimal("273.15"),
                                List.of("°C", "ºC", "C")),
                        new Unit(
                                "temperature",
                                new BigDecimal(5).divide(new BigDecimal(9), MathContext.DECIMAL64),
                                new BigDecimal("273.15")
                                        .subtract(
                                                new BigDecimal(160)
                                                        .divide(
                                                                new BigDecimal(9),
                                                                MathContext.DECIMAL64)),
                                List.of("°F", "ºF", "F")),
                        unit("share", "1", "%"),
                        unit("share", "0.1", "‰"))) {
            BY_NAME.put(unit.name(), unit);
        }
    }

    /** Signs of currencies that are no other currency's, or are commonly read so beside a column of it. */
    private static final Map<String, List<String>> SIGNS =
            Map.of(
                    "EUR", List.of("€"),
                    "USD", List.of("US$", "$"),
                    "BRL", List.of("R$"),
                    "GBP", List.of("£"),
                    "JPY", List.of("¥"),
                    "CNY", List.of("¥"),
                    "INR", List.of("₹"));

    private static final Set<String> CURRENCIES =
            Currency.getAvailableCurrencies().stream()
                    .map(Currency::getCurrencyCode)
                    .collect(Collectors.toUnmodifiableSet());

    private static final String SPACE = "[\\s\\x{00A0}\\x{202F}]";
    private static final String GROUPED =
            "^[-+]?\\d{1,3}(%1$s\\d{3})+([.,]\\d+)?$".formatted(SPACE);

    /** With a unit: twelve thousand for one reader, twelve and a half for another. */
    private static final String THOUSANDS = "^[-+]?[1-9]\\d{0,2}(,\\d{3})+$";

    private Units() {}

    private static Unit unit(String kind, String factor, String... spellings) {
        return new Unit(kind, new BigDecimal(factor), BigDecimal.ZERO, List.of(spellings));
    }

    /** Why a column can not be kept in a unit; null = it can. */
    static @Nullable String refusal(String unit) {
        return BY_NAME.containsKey(unit) || CURRENCIES.contains(unit)
                ? null
                : "unit must be one of %s, or a currency's code, such as EUR"
                        .formatted(String.join(", ", BY_NAME.keySet()));
    }

    /**
     * The number that a text stands for, in the column's unit; null where it is none, or its unit is unknown or of another kind.
     *
     * @param text an expression of the text
     * @param unit the column's; a value without one is in it
     * @param plain makes an expression of a number of one of a text without a unit
     */
    static String number(String text, String unit, UnaryOperator<String> plain) {
        var bare = "coalesce(%s, %s)".formatted(plain.apply(text), ungrouped(text, plain));
        var number =
                "CASE WHEN NOT regexp_matches(%s, %s) THEN %s END"
                        .formatted(
                                amount(text, unit),
                                Sql.text(THOUSANDS),
                                ungrouped(amount(text, unit), plain));
        if (!BY_NAME.containsKey(unit)) {
            return "coalesce(%s, %s)".formatted(bare, number);
        }
        var converted = new StringBuilder("CASE ").append(given(text));
        var column = BY_NAME.get(unit);
        BY_NAME.values().stream()
                .filter(from -> from.kind().equals(column.kind()))
                .forEach(from ->
                        from.spellings()
                                .forEach(spelling ->
                                        converted.append(
                                                " WHEN %s THEN %s"
                                                        .formatted(
                                                                Sql.text(spelling),
                                                                converted(number, from, column)))));
        return "coalesce(%s, %s END)".formatted(bare, converted);
    }

    /** What cleaning did to values of a column with a unit, by rule: conditions on a value that was read. */
    static Map<String, String> rules(String text, String unit, UnaryOperator<String> plain) {
        var bare = plain.apply(text) + " IS NOT NULL";
        var grouped = "regexp_matches(%s, %s)".formatted(text, Sql.text(GROUPED));
        var own =
                BY_NAME.containsKey(unit)
                        ? "%s IN (%s)"
                                .formatted(
                                        given(text),
                                        BY_NAME.get(unit).spellings().stream()
                                                .map(Sql::text)
                                                .collect(Collectors.joining(", ")))
                        : "true";
        var other = "NOT (%s) AND NOT (%s)".formatted(bare, grouped);
        var rules = new LinkedHashMap<String, String>();
        rules.put("spaces within numbers removed", "NOT (%s) AND %s".formatted(bare, grouped));
        rules.put("unit %s taken from values".formatted(unit), "%s AND %s".formatted(other, own));
        if (BY_NAME.containsKey(unit)) {
            rules.put(
                    "values of another unit made %s".formatted(unit),
                    "%s AND NOT (%s)".formatted(other, own));
        }
        return rules;
    }

    /** The part of a text before its unit, or without its currency. */
    private static String amount(String text, String unit) {
        if (BY_NAME.containsKey(unit)) {
            return "rtrim(regexp_extract(%s, '^([-+]?[0-9][0-9.,\\s\\x{00A0}\\x{202F}]*)', 1), %s)"
                    .formatted(text, "' ' || chr(160) || chr(8239) || chr(9)");
        }
        var signs =
                java.util.stream.Stream.concat(
                                SIGNS.getOrDefault(unit, List.of()).stream(),
                                java.util.stream.Stream.of(unit))
                        .map(sign -> sign.replace("$", "\\$"))
                        .collect(Collectors.joining("|"));
        return "regexp_replace(%s, %s, '\\1')"
                .formatted(
                        text,
                        Sql.text("^([-+]?)(?:%1$s)%2$s*|%2$s*(?:%1$s)$".formatted(signs, SPACE)));
    }

    /** The unit that a text ends with; empty when it ends with a number. */
    private static String given(String text) {
        return "regexp_extract(%s, '^[-+]?[0-9][0-9.,\\s\\x{00A0}\\x{202F}]*(.*)$', 1)"
                .formatted(text);
    }

    private static String ungrouped(String text, UnaryOperator<String> plain) {
        return plain.apply(
                "(CASE WHEN regexp_matches(%1$s, %2$s) THEN regexp_replace(%1$s, %3$s, '', 'g') ELSE %1$s END)"
                        .formatted(text, Sql.text(GROUPED), Sql.text(SPACE)));
    }

    private static String converted(String number, Unit from, Unit to) {
        if (from.zero().compareTo(to.zero()) != 0) {
            return "round(((%s) * %s + %s - %s) / %s, 9)"
                    .formatted(number, from.factor(), from.zero(), to.zero(), to.factor());
        }
        // A division by a whole number is exact where a multiplication by its inverse is not.
        var part = to.factor().divide(from.factor(), MathContext.DECIMAL64).stripTrailingZeros();
        return part.scale() <= 0
                ? "(%s) / %s".formatted(number, part.toPlainString())
                : "(%s) * %s"
                        .formatted(
                                number,
                                from.factor()
                                        .divide(to.factor(), MathContext.DECIMAL64)
                                        .toPlainString());
    }
}
