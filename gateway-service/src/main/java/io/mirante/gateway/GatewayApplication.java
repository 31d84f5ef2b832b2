package io.mirante.gateway;

import io.mirante.platform.jobs.JobsAutoConfiguration;
import io.mirante.platform.messaging.MessagingAutoConfiguration;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

/** Starts gateway-service; without consumers, and without jobs, whose routes are the other services'. */
@SpringBootApplication(exclude = {MessagingAutoConfiguration.class, JobsAutoConfiguration.class})
@ConfigurationPropertiesScan
public class GatewayApplication {

    public static void main(String[] args) {
        SpringApplication.run(GatewayApplication.class, args);
    }
}
