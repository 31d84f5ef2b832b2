package io.mirante.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.ContextConfiguration;

/**
 * Starts the module's service on real Kafka and PostgreSQL (one per JVM), its schema migrated, on a free port. Inject
 * {@link Mesh} to talk to them. Tests are kept apart by tenant ({@link Mesh#newTenant()}), not by cleaning.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@ContextConfiguration(initializers = MeshInitializer.class)
public @interface MeshTest {}
