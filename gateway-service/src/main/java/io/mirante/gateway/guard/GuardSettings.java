package io.mirante.gateway.guard;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How much trouble one service or client may make.
 *
 * @param calls requests in flight to one service on routes with a time limit, 1 or more
 * @param quickWithin how long the calls of a short way may take on average before fewer are let in at a time; more than zero
 * @param streams requests in flight to one service on routes without one, 1 or more
 * @param openFor how long a service that failed is left alone; more than zero
 * @param headerTimeout how long a client may take for a request's headers; more than zero
 */
@ConfigurationProperties("mirante.gateway.guard")
public record GuardSettings(
        @DefaultValue("500") int calls,
        @DefaultValue("500ms") Duration quickWithin,
        @DefaultValue("1000") int streams,
        @DefaultValue("2s") Duration openFor,
        @DefaultValue("5s") Duration headerTimeout) {

    public GuardSettings {
        if (!(calls >= 1)) {
            throw new IllegalArgumentException(
                    "mirante.gateway.guard.calls must be 1 or more, was " + calls);
        }
        if (!quickWithin.isPositive()) {
            throw new IllegalArgumentException(
                    "mirante.gateway.guard.quick-within must be more than zero, was "
                            + quickWithin);
        }
        if (!(streams >= 1)) {
            throw new IllegalArgumentException(
                    "mirante.gateway.guard.streams must be 1 or more, was " + streams);
        }
        if (!openFor.isPositive()) {
            throw new IllegalArgumentException(
                    "mirante.gateway.guard.open-for must be more than zero, was " + openFor);
        }
        if (!headerTimeout.isPositive()) {
            throw new IllegalArgumentException(
                    "mirante.gateway.guard.header-timeout must be more than zero, was "
                            + headerTimeout);
        }
    }
}
