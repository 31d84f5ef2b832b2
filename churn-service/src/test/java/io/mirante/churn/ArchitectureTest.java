package io.mirante.churn;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchTests;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import io.mirante.testkit.MeshRules;

@AnalyzeClasses(packages = "io.mirante.churn", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest static final ArchTests RULES = ArchTests.in(MeshRules.class);

    @ArchTest
    static final ArchRule MODELS_ARE_PLAIN_JAVA =
            ArchRuleDefinition.noClasses()
                    .that()
                    .resideInAPackage("..churn.model..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage("org.springframework..", "reactor..");
}
