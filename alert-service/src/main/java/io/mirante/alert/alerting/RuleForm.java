package io.mirante.alert.alerting;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.mirante.alert.webhook.Recipient;
import io.mirante.contracts.metrics.MetricEntry;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A rule as a caller writes it; nothing is checked yet. */
record RuleForm(
        @Nullable String type,
        @Nullable FilterForm filter,
        @Nullable ThresholdForm threshold,
        @Nullable String status,
        @Nullable List<@Nullable RecipientForm> recipients) {

    /** Absent or null = any. */
    record FilterForm(
            @Nullable String orgUnit, @Nullable String channel, @Nullable String priority) {}

    record ThresholdForm(
            @Nullable String metric,
            @Nullable BigDecimal value,
            @Nullable String window,
            @Nullable String operator,
            @JsonProperty("for") @Nullable String hold) {}

    /** What is left once everything was found right. */
    record Checked(
            String type,
            String orgUnit,
            String channel,
            String priority,
            Threshold threshold,
            boolean active,
            List<Recipient.Draft> recipients) {}

    private static final int MAX_TEXT = 200;
    private static final int MAX_DIGITS = 15;
    private static final int MAX_DECIMALS = 9;

    /**
     * The rule, checked as a whole.
     *
     * @throws ProblemException 400 with each field that is wrong; 422 for an unknown metric, a dimension the metric does
     *     not have, or a kind of recipient that comes later
     */
    Checked check() {
        var errors = new ArrayList<FieldError>();
        var type = text(this.type, "/type", true, errors);
        var filter = this.filter == null ? new FilterForm(null, null, null) : this.filter;
        var orgUnit = text(filter.orgUnit(), "/filter/org_unit", false, errors);
        var channel = text(filter.channel(), "/filter/channel", false, errors);
        var priority = text(filter.priority(), "/filter/priority", false, errors);
        var active = !"paused".equals(status);
        if (status != null && active && !status.equals("active")) {
            errors.add(new FieldError("/status", "unknown", "status must be active or paused"));
        }
        var checked = threshold(errors);
        var drafts = RecipientForm.check(recipients, errors);
        if (!errors.isEmpty() || checked == null) {
            throw ProblemException.malformed(errors);
        }
        var metric = MetricNames.find(checked.metric());
        requireDimension(metric, "org_unit", orgUnit);
        requireDimension(metric, "channel", channel);
        requireDimension(metric, "priority", priority);
        return new Checked(
                type,
                orgUnit,
                channel,
                priority,
                new Threshold(
                        MetricNames.full(metric),
                        checked.value(),
                        checked.window(),
                        checked.operator(),
                        checked.hold()),
                active,
                drafts);
    }

    private @Nullable Threshold threshold(List<FieldError> errors) {
        if (threshold == null) {
            errors.add(new FieldError("/threshold", "required", "threshold must be given"));
            return null;
        }
        int before = errors.size();
        var metric = text(threshold.metric(), "/threshold/metric", true, errors);
        var value = number(threshold.value(), "/threshold/value", errors);
        var operator =
                threshold.operator() == null
                        ? Operator.GTE
                        : Operator.of(threshold.operator()).orElse(null);
        if (operator == null) {
            errors.add(
                    new FieldError(
                            "/threshold/operator",
                            "unknown",
                            "operator must be gte, gt, lte or lt"));
        }
        var window =
                duration(
                        threshold.window(),
                        "/threshold/window",
                        Threshold.MIN_WINDOW,
                        Threshold.MAX_WINDOW,
                        errors);
        var hold =
                threshold.hold() == null
                        ? Duration.ZERO
                        : duration(
                                threshold.hold(),
                                "/threshold/for",
                                Duration.ZERO,
                                Threshold.MAX_HOLD,
                                errors);
        return errors.size() > before
                ? null
                : new Threshold(metric, value, window, Objects.requireNonNull(operator), hold);
    }

    static BigDecimal number(@Nullable BigDecimal value, String pointer, List<FieldError> errors) {
        if (value == null) {
            errors.add(new FieldError(pointer, "required", "value must be given"));
            return BigDecimal.ZERO;
        }
        long digits = (long) value.precision() - value.scale();
        if (!(digits <= MAX_DIGITS && value.scale() <= MAX_DECIMALS)) {
            errors.add(
                    new FieldError(
                            pointer,
                            "out_of_range",
                            "a number must have at most 15 digits before the point and 9 after it"));
            return BigDecimal.ZERO;
        }
        return value.scale() < 0 ? value.setScale(0) : value;
    }

    static String text(
            @Nullable String value, String pointer, boolean required, List<FieldError> errors) {
        var name = pointer.substring(pointer.lastIndexOf('/') + 1);
        if (value == null) {
            if (required) {
                errors.add(new FieldError(pointer, "required", name + " must be given"));
            }
            return "";
        }
        if (value.isBlank()
                || value.length() > MAX_TEXT
                || value.codePoints()
                        .anyMatch(c -> Character.isISOControl(c) || (c >= 0xd800 && c <= 0xdfff))) {
            errors.add(
                    new FieldError(
                            pointer,
                            "invalid",
                            name + " must be 1 to 200 characters without control characters"));
            return "";
        }
        return value;
    }

    private static Duration duration(
            @Nullable String text,
            String pointer,
            Duration min,
            Duration max,
            List<FieldError> errors) {
        var name = pointer.substring(pointer.lastIndexOf('/') + 1);
        if (text == null) {
            errors.add(new FieldError(pointer, "required", name + " must be given, such as 15m"));
            return min;
        }
        var parsed = ShortDuration.parse(text);
        if (parsed.isEmpty()
                || parsed.get().compareTo(min) < 0
                || parsed.get().compareTo(max) > 0) {
            errors.add(
                    new FieldError(
                            pointer,
                            "invalid",
                            "%s must be from %s to %s, such as 15m"
                                    .formatted(
                                            name,
                                            ShortDuration.text(min),
                                            ShortDuration.text(max))));
            return min;
        }
        return parsed.get();
    }

    private static void requireDimension(MetricEntry metric, String dimension, String value) {
        if (!value.isEmpty() && !metric.dimensions().contains(dimension)) {
            throw ProblemException.impossible(
                    "no-such-dimension",
                    "filter.%s: %s has only the dimensions %s"
                            .formatted(dimension, MetricNames.full(metric), metric.dimensions()));
        }
    }
}
