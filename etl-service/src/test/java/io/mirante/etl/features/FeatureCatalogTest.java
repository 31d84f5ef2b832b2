package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;

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
}
