package io.mirante.etl;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

/** Starts etl-service. */
@SpringBootApplication
@ConfigurationPropertiesScan
public class EtlApplication {

    /** Starts the service. */
    public static void main(String[] args) {
        SpringApplication.run(EtlApplication.class, args);
    }
}
