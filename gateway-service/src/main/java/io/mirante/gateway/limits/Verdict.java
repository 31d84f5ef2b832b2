package io.mirante.gateway.limits;

import io.github.bucket4j.ConsumptionProbe;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.springframework.http.HttpHeaders;

/**
 * Whether a request may pass.
 *
 * @param limit requests a minute
 * @param remaining what could pass right now after this one
 * @param full until the whole limit is there again
 * @param retryAfter until the next one passes; zero when this one did
 */
public record Verdict(
        boolean passes, long limit, long remaining, Duration full, Duration retryAfter) {

    static Verdict of(ConsumptionProbe probe, long limit) {
        return new Verdict(
                probe.isConsumed(),
                limit,
                probe.getRemainingTokens(),
                Duration.ofNanos(probe.getNanosToWaitForReset()),
                Duration.ofNanos(probe.getNanosToWaitForRefill()));
    }

    /** Says so: {@code X-RateLimit-Reset} in seconds from now, {@code Retry-After} when refused. */
    public void write(HttpHeaders headers) {
        write(headers::set);
    }

    /** The same for headers of any kind; {@code header} takes a name and its only value. */
    public void write(BiConsumer<String, String> header) {
        header.accept("X-RateLimit-Limit", Long.toString(limit));
        header.accept("X-RateLimit-Remaining", Long.toString(remaining));
        header.accept("X-RateLimit-Reset", Long.toString(seconds(full)));
        if (!passes) {
            header.accept(HttpHeaders.RETRY_AFTER, Long.toString(Math.max(1, seconds(retryAfter))));
        }
    }

    private static long seconds(Duration duration) {
        return duration.plusNanos(999_999_999).toSeconds();
    }
}
