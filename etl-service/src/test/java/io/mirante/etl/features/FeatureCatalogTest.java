package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FeatureCatalogTest {

    @Test
    void namesAreUniquePlainColumns() {
        assertThat(FeatureCatalog.all())
                .extracting(Feature::name)
                .doesNotHaveDuplicates()
                .allMatch(name -> name.matches("[a-z][a-z0-9_]{2,40}"))
                .hasSizeGreaterThanOrEqualTo(45);
    }

    @Test
    void everyFeatureSaysWhatItIs() {
        assertThat(FeatureCatalog.all())
                .allMatch(f -> !f.meaning().isBlank() && !f.unit().isBlank())
                .allMatch(f -> f.since() >= 1 && f.since() <= FeatureCatalog.VERSION)
                .extracting(Feature::type)
                .containsOnly("count", "amount", "duration", "ratio", "flag", "score", "category");
    }

    @Test
    void theDocsHaveTheCatalogue() throws Exception {
        var page = Files.readString(Path.of("..", "docs", "features.md"));
        var rows = FeatureCatalog.all().stream().map(FeatureCatalogTest::row).toList();
        assertThat(page).endsWith(String.join("\n", rows) + "\n");
    }

    private static String row(Feature feature) {
        return "| `%s` | %s | %s | %s | %s | %d |"
                .formatted(
                        feature.name(),
                        feature.type(),
                        feature.meaning(),
                        feature.unit(),
                        range(feature),
                        feature.since());
    }

    private static String range(Feature feature) {
        if (feature.isText()) {
            return feature.values().isEmpty() ? "any" : String.join(", ", feature.values());
        }
        if (feature.min() == null) {
            return "any";
        }
        return "%.0f%s"
                .formatted(
                        feature.min(),
                        feature.max() == null ? " or more" : " to %.0f".formatted(feature.max()));
    }
}
