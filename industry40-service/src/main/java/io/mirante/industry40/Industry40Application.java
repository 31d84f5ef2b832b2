package io.mirante.industry40;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** industry40-service. */
@SpringBootApplication
public class Industry40Application {

    public static void main(String[] args) {
        SpringApplication.run(Industry40Application.class, args);
    }
}
