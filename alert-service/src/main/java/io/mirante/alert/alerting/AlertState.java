package io.mirante.alert.alerting;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Where an alert stands: pending → firing → resolved, or pending → resolved when the condition did not last. */
sealed interface AlertState {

    /** Since when the condition held. */
    Instant startedAt();

    /** An alert that is not over. */
    sealed interface Open extends AlertState {

        /**
         * The state after another look; an equal one when nothing changed.
         *
         * @param holds whether the condition holds now
         * @param hold how long it must hold before the alert fires
         */
        AlertState observe(boolean holds, Instant now, Duration hold);
    }

    /** The state of a condition that began to hold just now: firing at once when it need not last. */
    static Open begin(Instant now, Duration hold) {
        return hold.isZero() ? new Firing(now, now) : new Pending(now);
    }

    /** The condition holds, not long enough yet. */
    record Pending(Instant startedAt) implements Open {
        @Override
        public AlertState observe(boolean holds, Instant now, Duration hold) {
            if (!holds) {
                return new Resolved(startedAt, null, now);
            }
            return now.isBefore(startedAt.plus(hold)) ? this : new Firing(startedAt, now);
        }
    }

    /** The condition held long enough, and still holds. */
    record Firing(Instant startedAt, Instant firedAt) implements Open {
        @Override
        public AlertState observe(boolean holds, Instant now, Duration hold) {
            return holds ? this : resolve(now);
        }

        Resolved resolve(Instant now) {
            return new Resolved(startedAt, firedAt, now);
        }
    }

    /**
     * Over; what comes next is another alert.
     *
     * @param firedAt null = it never fired
     */
    record Resolved(Instant startedAt, @Nullable Instant firedAt, Instant resolvedAt)
            implements AlertState {}

    /** As it is stored and published. */
    default String name() {
        return switch (this) {
            case Pending p -> "pending";
            case Firing f -> "firing";
            case Resolved r -> "resolved";
        };
    }

    /** When it fired; null = it has not. */
    default @Nullable Instant firing() {
        return switch (this) {
            case Pending p -> null;
            case Firing f -> f.firedAt();
            case Resolved r -> r.firedAt();
        };
    }

    /** When it was over; null = it is not. */
    default @Nullable Instant over() {
        return this instanceof Resolved resolved ? resolved.resolvedAt() : null;
    }

    /** Whether receivers are told: of firing, and of the end of what fired. */
    default boolean isTold() {
        return firing() != null;
    }

    /** As it was stored. */
    static AlertState of(
            String name, Instant startedAt, @Nullable Instant firedAt, @Nullable Instant resolved) {
        return switch (name) {
            case "pending" -> new Pending(startedAt);
            case "firing" -> new Firing(startedAt, java.util.Objects.requireNonNull(firedAt));
            case "resolved" ->
                    new Resolved(startedAt, firedAt, java.util.Objects.requireNonNull(resolved));
            default -> throw new IllegalArgumentException("unknown state " + name);
        };
    }
}
