package io.mirante.alert;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchTests;
import io.mirante.testkit.MeshRules;

@AnalyzeClasses(packages = "io.mirante.alert", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest static final ArchTests RULES = ArchTests.in(MeshRules.class);
}
