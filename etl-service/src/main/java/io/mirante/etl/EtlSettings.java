package io.mirante.etl;

import io.mirante.etl.quality.Thresholds;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Settings of etl-service.
 *
 * @param refresh after which a user's features are computed again without a new event, 1 minute or more: time alone
 *     changes them
 * @param blockedIds ids that name nobody, besides {@code null}, {@code anonymous}, {@code 0} and the like; case does not
 *     matter
 * @param mergesPerHour how many anonymous ids may become one user within an hour, 1 or more: what goes beyond comes from
 *     a program or a shared login, and is refused
 * @param maxSourceSize largest file of a source, as it comes; 1 byte or more ({@code MAX_SOURCE_SIZE})
 * @param keepBackups how long a load can be rolled back, 1 hour or more ({@code MIRANTE_KEEP_BACKUPS})
 * @param sourceAllowedHosts names or addresses, as they are given, that sources may be at although they are private
 *     ({@code SOURCE_ALLOWED_HOSTS})
 * @param sourceTimeout how long PostgreSQL may take for a source's rows, 1 second to a day
 * @param masterKeyFile the installation's master key, which seals sources' credentials; empty = there are none
 * @param steps how long each step of a run may take
 * @param quality from when checks of tables pass, by check, where it is not the product's own threshold
 */
@ConfigurationProperties("mirante.etl")
public record EtlSettings(
        @DefaultValue("24h") Duration refresh,
        @DefaultValue List<String> blockedIds,
        @DefaultValue("20") int mergesPerHour,
        @DefaultValue("4GB") DataSize maxSourceSize,
        @DefaultValue("30d") Duration keepBackups,
        @DefaultValue List<String> sourceAllowedHosts,
        @DefaultValue("1h") Duration sourceTimeout,
        @DefaultValue("") String masterKeyFile,
        @DefaultValue Steps steps,
        @DefaultValue Map<String, Double> quality) {

    /**
     * How long each step of a run may take, 1 second to 6 hours; {@code load} at most 30 minutes.
     *
     * @param fetch bringing the rows of a source elsewhere
     * @param check reading, cleaning and checking them
     * @param features making a feature set
     * @param checkFeatures checking it
     * @param load loading it
     */
    public record Steps(
            @DefaultValue("2h") Duration fetch,
            @DefaultValue("1h") Duration check,
            @DefaultValue("1h") Duration features,
            @DefaultValue("30m") Duration checkFeatures,
            @DefaultValue("30m") Duration load) {

        private static final Duration MAX = Duration.ofHours(6);
        private static final Duration MAX_LOAD = Duration.ofMinutes(30);

        public Steps {
            check("fetch", fetch, MAX);
            check("check", check, MAX);
            check("features", features, MAX);
            check("check-features", checkFeatures, MAX);
            check("load", load, MAX_LOAD);
        }

        private static void check(String step, Duration limit, Duration max) {
            if (!(limit.toSeconds() >= 1 && limit.compareTo(max) <= 0)) {
                throw new IllegalArgumentException(
                        "mirante.etl.steps.%s must be 1 second to %d minutes, was %s"
                                .formatted(step, max.toMinutes(), limit));
            }
        }

        /** Of a step by the name of its setting. */
        public Duration of(String step) {
            return switch (step) {
                case "fetch" -> fetch;
                case "check" -> check;
                case "features" -> features;
                case "check-features" -> checkFeatures;
                case "load" -> load;
                default -> throw new IllegalArgumentException("unknown step " + step);
            };
        }
    }

    public EtlSettings {
        blockedIds = List.copyOf(blockedIds);
        sourceAllowedHosts = List.copyOf(sourceAllowedHosts);
        if (!(refresh.compareTo(Duration.ofMinutes(1)) >= 0)) {
            throw new IllegalArgumentException(
                    "mirante.etl.refresh must be at least 1 minute, was " + refresh);
        }
        if (!(mergesPerHour >= 1)) {
            throw new IllegalArgumentException(
                    "mirante.etl.merges-per-hour must be 1 or more, was " + mergesPerHour);
        }
        if (!(maxSourceSize.toBytes() >= 1)) {
            throw new IllegalArgumentException(
                    "mirante.etl.max-source-size must be 1 byte or more, was " + maxSourceSize);
        }
        if (!(keepBackups.compareTo(Duration.ofHours(1)) >= 0)) {
            throw new IllegalArgumentException(
                    "mirante.etl.keep-backups must be at least 1 hour, was " + keepBackups);
        }
        if (!(sourceTimeout.toSeconds() >= 1 && sourceTimeout.compareTo(Duration.ofDays(1)) <= 0)) {
            throw new IllegalArgumentException(
                    "mirante.etl.source-timeout must be 1 second to 24 hours, was "
                            + sourceTimeout);
        }
        // An environment variable cannot tell data_types from data.types.
        quality =
                quality.entrySet().stream()
                        .collect(
                                Collectors.toUnmodifiableMap(
                                        entry -> entry.getKey().replace('.', '_'),
                                        Map.Entry::getValue));
        quality.forEach((check, threshold) ->
                Thresholds.refusal(check, threshold)
                        .ifPresent(refusal -> {
                            throw new IllegalArgumentException("mirante.etl.quality: " + refusal);
                        }));
    }
}
