package io.mirante.snapshot;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

/** Starts snapshot-service. */
@SpringBootApplication
@ConfigurationPropertiesScan
public class SnapshotApplication {

    /** Takes Spring Boot's own arguments. */
    public static void main(String[] arguments) {
        SpringApplication.run(SnapshotApplication.class, arguments);
    }
}
