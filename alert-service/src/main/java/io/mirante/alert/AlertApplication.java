package io.mirante.alert;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** The alert service. */
@SpringBootApplication
public class AlertApplication {

    /** Starts it. */
    public static void main(String[] args) {
        SpringApplication.run(AlertApplication.class, args);
    }
}
