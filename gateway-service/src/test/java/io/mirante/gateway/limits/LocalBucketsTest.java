package io.mirante.gateway.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpHeaders;

class LocalBucketsTest {

    private long nanos;
    private final LocalBuckets buckets =
            new LocalBuckets(
                    new TimeMeter() {
                        @Override
                        public long currentTimeNanos() {
                            return nanos;
                        }

                        @Override
                        public boolean isWallClockBased() {
                            return false;
                        }
                    });

    @Test
    void aMinutesWorthPassesAtOnceAndTheRestAsTimeGoesBy() {
        for (int i = 59; i >= 0; i--) {
            var verdict = buckets.take("a", 60);
            assertThat(verdict.passes()).isTrue();
            assertThat(verdict.remaining()).isEqualTo(i);
        }
        var refused = buckets.take("a", 60);
        assertThat(refused.passes()).isFalse();
        assertThat(refused.retryAfter()).isEqualTo(Duration.ofSeconds(1));
        assertThat(refused.full()).isEqualTo(Duration.ofMinutes(1));
        assertThat(buckets.take("b", 60).passes()).isTrue();
        nanos += Duration.ofMillis(999).toNanos();
        assertThat(buckets.take("a", 60).passes()).isFalse();
        nanos += Duration.ofMillis(1).toNanos();
        assertThat(buckets.take("a", 60).passes()).isTrue();
        assertThat(buckets.take("a", 60).passes()).isFalse();
    }

    @Test
    void aLookTakesNothing() {
        buckets.take("a", 2);
        assertThat(buckets.look("a", 2).passes()).isTrue();
        assertThat(buckets.look("a", 2).passes()).isTrue();
        buckets.take("a", 2);
        assertThat(buckets.look("a", 2).passes()).isFalse();
        assertThat(buckets.look("a", 2).retryAfter()).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void anotherLimitIsAnotherBucket() {
        assertThat(buckets.take("a", 1).passes()).isTrue();
        assertThat(buckets.take("a", 1).passes()).isFalse();
        assertThat(buckets.take("a", 2).passes()).isTrue();
    }

    @Test
    void aVerdictIsWrittenInWholeSecondsRoundedUp() {
        var headers = new HttpHeaders();
        new Verdict(false, 10, 0, Duration.ofMillis(5_100), Duration.ofMillis(10)).write(headers);
        assertThat(headers.getFirst("X-RateLimit-Limit")).isEqualTo("10");
        assertThat(headers.getFirst("X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(headers.getFirst("X-RateLimit-Reset")).isEqualTo("6");
        assertThat(headers.getFirst("Retry-After")).isEqualTo("1");
    }

    @Test
    void settingsNameWhatIsWrong() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LimitSettings(0, null))
                .withMessageContaining("RATE_LIMIT_PER_MINUTE");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LimitSettings(1, "http://x"))
                .withMessageContaining("REDIS_URL");
        assertThat(new LimitSettings(1, " ").redisUrl()).isNull();
    }
}
