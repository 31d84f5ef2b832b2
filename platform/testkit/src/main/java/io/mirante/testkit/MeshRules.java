package io.mirante.testkit;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.GeneralCodingRules;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import org.springframework.boot.jackson.JacksonComponent;
import org.springframework.cloud.stream.function.StreamBridge;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchListenerFailedException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What no service may do; each has a class that applies them to its own packages. */
public final class MeshRules {

    @ArchTest
    static final ArchRule STREAM_DATABASE_IS_FOR_CONSUMERS =
            noClasses()
                    .that()
                    .areNotAnnotatedWith(CrossTenant.class)
                    .and(
                            describe(
                                    "are not nested in a class marked so",
                                    c ->
                                            c.getEnclosingClass()
                                                    .map(e -> !e.isAnnotatedWith(CrossTenant.class))
                                                    .orElse(true)))
                    .and()
                    .resideOutsideOfPackage("io.mirante.platform..")
                    .should()
                    .dependOnClassesThat()
                    .areAssignableTo(StreamDatabase.class)
                    .because("it sees all tenants; requests use TenantDatabase")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule NO_STREAM_BRIDGE =
            noClasses()
                    .should()
                    .dependOnClassesThat()
                    .areAssignableTo(StreamBridge.class)
                    .because("it answers before Kafka has stored the event")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule NO_BATCH_LISTENER_FAILED =
            noClasses()
                    .should()
                    .dependOnClassesThat()
                    .areAssignableTo(BatchListenerFailedException.class)
                    .because(
                            "with one transaction per poll it loses the failed record's neighbours")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule CONSUMERS_TAKE_BYTES =
            methods()
                    .that()
                    .areAnnotatedWith(Bean.class)
                    .and()
                    .haveRawReturnType(java.util.function.Consumer.class)
                    .should(takeBytes())
                    .because("a typed batch silently drops what it cannot convert")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule NO_SUBSCRIBE =
            noClasses()
                    .should()
                    .callMethodWhere(
                            describe(
                                    "subscribe() on a publisher",
                                    call ->
                                            call.getTarget().getName().equals("subscribe")
                                                    && (call.getTargetOwner()
                                                                    .isAssignableTo(Mono.class)
                                                            || call.getTargetOwner()
                                                                    .isAssignableTo(Flux.class))))
                    .because("fire-and-forget loses errors")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule NO_LISTENER_ANNOTATIONS =
            noClasses()
                    .should()
                    .dependOnClassesThat()
                    .areAssignableTo(KafkaListener.class)
                    .orShould()
                    .dependOnClassesThat()
                    .areAssignableTo(JacksonComponent.class)
                    .because("the starter leaves out what would look for them")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule NO_STANDARD_STREAMS =
            GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;

    @ArchTest
    static final ArchRule NO_SLEEP =
            noClasses()
                    .should()
                    .callMethodWhere(
                            describe(
                                    "Thread.sleep",
                                    call ->
                                            call.getTargetOwner().isEquivalentTo(Thread.class)
                                                    && call.getTarget().getName().equals("sleep")))
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule PACKAGES_ARE_FEATURES =
            noClasses()
                    .should()
                    .resideInAnyPackage(
                            "..util..",
                            "..utils..",
                            "..common..",
                            "..helper..",
                            "..impl..",
                            "..dto..",
                            "..service..")
                    .because("a package is named after its feature");

    @ArchTest
    static final ArchRule SERVICES_KNOW_CONTRACTS_ONLY =
            noClasses()
                    .should(
                            new ArchCondition<JavaClass>("depend on another service") {
                                @Override
                                public void check(JavaClass item, ConditionEvents events) {
                                    var own = service(item);
                                    for (var dependency : item.getDirectDependenciesFromSelf()) {
                                        var target = dependency.getTargetClass();
                                        if (resideInAPackage("io.mirante..").test(target)
                                                && !SHARED.contains(service(target))
                                                && !service(target).equals(own)) {
                                            events.add(
                                                    SimpleConditionEvent.satisfied(
                                                            item, dependency.getDescription()));
                                        }
                                    }
                                }
                            })
                    .allowEmptyShould(true);

    private static final java.util.Set<String> SHARED =
            java.util.Set.of("contracts", "platform", "testkit");

    private MeshRules() {}

    private static String service(JavaClass type) {
        var parts = type.getPackageName().split("\\.");
        return parts.length > 2 ? parts[2] : "";
    }

    private static ArchCondition<JavaMethod> takeBytes() {
        return new ArchCondition<>("be a Consumer<Message<List<byte[]>>>") {
            @Override
            public void check(JavaMethod method, ConditionEvents events) {
                var type = method.reflect().getGenericReturnType().getTypeName();
                boolean good =
                        type.equals(
                                "java.util.function.Consumer<org.springframework.messaging.Message<java.util.List<byte[]>>>");
                events.add(
                        new SimpleConditionEvent(
                                method, good, method.getFullName() + " returns " + type));
            }
        };
    }
}
