package io.mirante.alert.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.alert.alerting.AlertState.Firing;
import io.mirante.alert.alerting.AlertState.Pending;
import io.mirante.alert.alerting.AlertState.Resolved;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class AlertStateTest {

    private static final Instant START = Instant.parse("2026-01-01T12:00:00Z");
    private static final Duration MINUTE = Duration.ofMinutes(1);

    @Test
    void firesAtOnceWhenTheConditionNeedNotLast() {
        assertThat(AlertState.begin(START, Duration.ZERO)).isEqualTo(new Firing(START, START));
    }

    @Test
    void waitsWhenTheConditionMustLast() {
        assertThat(AlertState.begin(START, Duration.ofMillis(1))).isEqualTo(new Pending(START));
    }

    @Test
    void firesOnTheBoundaryAndNotBefore() {
        var pending = new Pending(START);
        assertThat(pending.observe(true, START.plus(MINUTE).minusMillis(1), MINUTE))
                .isEqualTo(pending);
        assertThat(pending.observe(true, START.plus(MINUTE), MINUTE))
                .isEqualTo(new Firing(START, START.plus(MINUTE)));
    }

    @Test
    void aConditionThatDidNotLastNeverFiredAndIsNotTold() {
        var next = new Pending(START).observe(false, START.plus(MINUTE), MINUTE);
        assertThat(next).isEqualTo(new Resolved(START, null, START.plus(MINUTE)));
        assertThat(next.isTold()).isFalse();
    }

    @Test
    void firesUntilTheConditionEnds() {
        var firing = new Firing(START, START);
        assertThat(firing.observe(true, START.plus(MINUTE), MINUTE)).isEqualTo(firing);
        var resolved = firing.observe(false, START.plus(MINUTE), MINUTE);
        assertThat(resolved).isEqualTo(new Resolved(START, START, START.plus(MINUTE)));
        assertThat(resolved.isTold()).isTrue();
    }

    @Test
    void isTheSameAfterItWasStored() {
        for (var state :
                new AlertState[] {
                    new Pending(START),
                    new Firing(START, START.plus(MINUTE)),
                    new Resolved(START, null, START),
                    new Resolved(START, START, START.plus(MINUTE))
                }) {
            assertThat(AlertState.of(state.name(), state.startedAt(), state.firing(), state.over()))
                    .isEqualTo(state);
        }
        assertThatThrownBy(() -> AlertState.of("unknown", START, null, null))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
