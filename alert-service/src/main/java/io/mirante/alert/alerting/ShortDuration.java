package io.mirante.alert.alerting;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/** Durations as rules write them: a whole number and s, m, h or d, such as {@code 15m}. */
final class ShortDuration {

    private static final Pattern FORM = Pattern.compile("(\\d{1,6})([smhd])");

    private ShortDuration() {}

    static Optional<Duration> parse(String text) {
        var match = FORM.matcher(text);
        if (!match.matches()) {
            return Optional.empty();
        }
        long number = Long.parseLong(match.group(1));
        return Optional.of(
                switch (match.group(2)) {
                    case "s" -> Duration.ofSeconds(number);
                    case "m" -> Duration.ofMinutes(number);
                    case "h" -> Duration.ofHours(number);
                    default -> Duration.ofDays(number);
                });
    }

    /** The shortest form without a fraction; whole seconds only. */
    static String text(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds % 60 != 0 || seconds == 0) {
            return seconds + "s";
        }
        return seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds / 60 + "m";
    }
}
