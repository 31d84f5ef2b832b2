package io.mirante.etl.runs;

import io.mirante.contracts.etl.RunEnded.Anomaly;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.springframework.web.util.HtmlUtils;
import tools.jackson.databind.JsonNode;

/** A run's report for people: one page of HTML without scripts, that loads nothing. */
final class ReportPage {
    private static final int BINS = 20;
    private static final int BAR = 9;
    private static final int HEIGHT = 60;
    private static final Map<String, String> PARTS =
            Map.of("raw", "As given", "transformed", "After cleaning", "features", "Feature set");

    private static final String HEAD =
            """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>%s</title><style>
            body{font:15px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}
            table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;
            vertical-align:top}.pass{color:#17692f}.warn{color:#8a5a00}.fail,.error{color:#a31515}small{color:#555}
            svg rect{fill:#4a74a8}</style></head><body>
            """;

    private final StringBuilder page = new StringBuilder();

    private ReportPage() {}

    /** The page of a completed run. */
    static String of(Run run, JsonNode report) {
        var page = new ReportPage();
        page.head(run);
        page.anomalies(run.anomalies());
        page.cleaning(report.path("cleaning"));
        for (var part : new String[] {"raw", "transformed", "features"}) {
            if (report.path(part).isObject()) {
                page.part(PARTS.getOrDefault(part, part), report.path(part));
            }
        }
        page.page.append("</body></html>\n");
        return page.page.toString();
    }

    private void head(Run run) {
        page.append(HEAD.formatted(text("Run " + run.executionId())));
        page.append(
                "<h1>Run %s of %s</h1><p>%s, gate: <b class=\"%s\">%s</b>%s. Score after cleaning %s, grade <b>%s</b>. %s of %s rows kept.</p>"
                        .formatted(
                                text(run.executionId()),
                                text(run.source()),
                                text(String.valueOf(run.finishedAt())),
                                text(String.valueOf(run.gate())),
                                text(String.valueOf(run.gate())),
                                run.stoppedBy().isEmpty()
                                        ? ""
                                        : text(" (" + String.join(", ", run.stoppedBy()) + ")"),
                                run.dataQualityScore(),
                                text(String.valueOf(run.grade())),
                                run.recordsCleaned(),
                                run.recordsExtracted()));
    }

    private void anomalies(List<Anomaly> anomalies) {
        if (anomalies.isEmpty()) {
            return;
        }
        page.append(
                "<h2>Far from past runs</h2><table><tr><th>figure</th><th>this run</th><th>median of past runs</th><th>robust z-score</th><th>past runs</th></tr>");
        for (var anomaly : anomalies) {
            page.append(
                    "<tr><td>%s</td><td class=\"warn\">%s</td><td>%s</td><td>%s</td><td>%d</td></tr>"
                            .formatted(
                                    text(anomaly.metric()),
                                    number(anomaly.value()),
                                    number(anomaly.median()),
                                    number(anomaly.z()),
                                    anomaly.runs()));
        }
        page.append("</table>");
    }

    private void cleaning(JsonNode cleaning) {
        counted("Changed by cleaning", cleaning.path("changes"));
        counted("Left out by cleaning", cleaning.path("rejected"));
    }

    private void counted(String title, JsonNode counts) {
        if (counts.isEmpty()) {
            return;
        }
        page.append(
                "<h2>%s</h2><table><tr><th>what</th><th>how many</th><th>first of them</th></tr>"
                        .formatted(title));
        for (var entry : counts.properties()) {
            page.append(
                    "<tr><td>%s</td><td>%d</td><td>%s</td></tr>"
                            .formatted(
                                    text(entry.getKey()),
                                    entry.getValue().path("count").asLong(),
                                    lines(entry.getValue().path("samples"))));
        }
        page.append("</table>");
    }

    private void part(String title, JsonNode part) {
        page.append(
                "<h2>%s: %d rows, score %s, grade %s</h2><table><tr><th>check</th><th>outcome</th><th>measured</th><th>threshold</th><th>rows at fault</th><th>what was seen</th></tr>"
                        .formatted(
                                title,
                                part.path("rows").asLong(),
                                part.path("score").asDouble(),
                                text(part.path("grade").asString(""))));
        for (var check : part.path("checks")) {
            var status = text(check.path("status").asString(""));
            page.append(
                    "<tr><td>%s<br><small>%s</small></td><td class=\"%s\">%s</td><td>%s</td><td>%s</td><td>%d</td><td>%s%s<small>%s</small></td></tr>"
                            .formatted(
                                    text(check.path("name").asString("")),
                                    text(check.path("severity").asString("")),
                                    status,
                                    status,
                                    number(check.path("value")),
                                    number(check.path("threshold")),
                                    check.path("failing_rows").asLong(),
                                    lines(check.path("details")),
                                    lines(check.path("samples")),
                                    text(check.path("advice").asString(""))));
        }
        page.append(
                "</table><table><tr><th>column</th><th>type</th><th>missing</th><th>distinct</th><th>mean (deviation)</th><th>distribution or most frequent</th></tr>");
        for (var entry : part.path("profile").properties()) {
            var column = entry.getValue();
            page.append(
                    "<tr><td>%s</td><td>%s</td><td>%d</td><td>%d</td><td>%s</td><td>%s</td></tr>"
                            .formatted(
                                    text(entry.getKey()),
                                    text(column.path("type").asString("")),
                                    column.path("missing").asLong(),
                                    column.path("distinct").asLong(),
                                    column.path("mean").isNumber()
                                            ? number(column.path("mean"))
                                                    + " ("
                                                    + number(column.path("std"))
                                                    + ")"
                                            : "",
                                    column.path("quantiles").size() > 1
                                            ? histogram(column.path("quantiles"))
                                            : top(column.path("top"))));
        }
        page.append("</table>");
    }

    /**
     * Bars of equal width between the first and the last hundredth, as high as the share of values that the quantiles put there;
     * what lies beyond would make all others invisible.
     */
    static String histogram(JsonNode quantiles) {
        int last = quantiles.size() - 1;
        double from = quantiles.path(1).asDouble();
        double until = quantiles.path(last - 1).asDouble();
        if (!(until > from)) {
            return "all " + number(quantiles.path(1));
        }
        var shares = new double[BINS];
        double highest = 0;
        for (int bin = 0; bin < BINS; bin++) {
            double width = (until - from) / BINS;
            shares[bin] =
                    below(quantiles, from + width * (bin + 1))
                            - below(quantiles, from + width * bin);
            highest = Math.max(highest, shares[bin]);
        }
        var svg =
                new StringBuilder(
                        "<svg width=\"%d\" height=\"%d\" role=\"img\">"
                                .formatted(BINS * (BAR + 1), HEIGHT));
        for (int bin = 0; bin < BINS; bin++) {
            long height = Math.round(shares[bin] / highest * HEIGHT);
            svg.append(
                    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
                            .formatted(bin * (BAR + 1), HEIGHT - height, BAR, height));
        }
        return svg
                + "</svg><br><small>1 % to 99 %: "
                + number(quantiles.path(1))
                + " to "
                + number(quantiles.path(last - 1))
                + "</small>";
    }

    /** Share of values up to one, between two quantiles by a straight line. */
    private static double below(JsonNode quantiles, double value) {
        int last = quantiles.size() - 1;
        int at = 0;
        while (at < last && quantiles.path(at + 1).asDouble() <= value) {
            at++;
        }
        if (at == last) {
            return 1;
        }
        double low = quantiles.path(at).asDouble();
        double high = quantiles.path(at + 1).asDouble();
        double within = value <= low || high <= low ? 0 : (value - low) / (high - low);
        return (at + within) / last;
    }

    private static String top(JsonNode top) {
        var text = new StringBuilder();
        for (var value : top) {
            text.append(
                    "%s (%d)<br>"
                            .formatted(
                                    text(value.path("value").asString("")),
                                    value.path("count").asLong()));
        }
        return text.toString();
    }

    private static String lines(JsonNode texts) {
        var lines = new StringBuilder();
        for (var line : texts) {
            lines.append(text(line.asString(""))).append("<br>");
        }
        return lines.toString();
    }

    private static String number(JsonNode value) {
        if (!value.isNumber()) {
            return "";
        }
        return number(value.asDouble());
    }

    private static String number(double number) {
        return number == Math.rint(number) && Math.abs(number) < 1e15
                ? Long.toString((long) number)
                : String.format(Locale.ROOT, "%.4g", number);
    }

    private static String text(String text) {
        return HtmlUtils.htmlEscape(text, "UTF-8");
    }
}
