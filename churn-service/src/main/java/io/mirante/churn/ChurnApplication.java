package io.mirante.churn;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** The churn service. */
@SpringBootApplication
public class ChurnApplication {

    /** Starts it. */
    public static void main(String[] args) {
        SpringApplication.run(ChurnApplication.class, args);
    }
}
