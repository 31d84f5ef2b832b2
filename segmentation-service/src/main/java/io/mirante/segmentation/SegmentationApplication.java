package io.mirante.segmentation;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** The segmentation service. */
@SpringBootApplication
public class SegmentationApplication {

    /** Starts it. */
    public static void main(String[] args) {
        SpringApplication.run(SegmentationApplication.class, args);
    }
}
