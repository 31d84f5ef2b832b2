package io.mirante.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import kafka.Kafka;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;

/**
 * The broker's process: formats the folder when it is new, then runs Kafka. Arguments: the properties file, the data
 * folder, and {@code stop-with-parent} when the end of standard input shall end the process.
 */
final class KafkaMain {
    private KafkaMain() {}

    public static void main(String[] arguments) throws IOException {
        String properties = arguments[0];
        Path data = Path.of(arguments[1]);
        if (Arrays.asList(arguments).contains("stop-with-parent")) {
            Thread.ofPlatform().daemon().name("parent-watch").start(KafkaMain::haltAtEndOfInput);
        }
        if (!Files.exists(data.resolve("meta.properties"))) {
            String[] format = {
                "format",
                "--cluster-id",
                Uuid.randomUuid().toString(),
                "--config",
                properties,
                "--ignore-formatted"
            };
            int result = StorageTool.execute(format, System.out);
            if (result != 0) {
                System.exit(result);
            }
        }
        Kafka.main(new String[] {properties});
    }

    /** The parent alone holds the other end of the pipe: it closes when the parent ends, even by kill -9. */
    private static void haltAtEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                // The parent writes nothing.
            }
        } catch (IOException closed) {
            // The same as the end.
        }
        Runtime.getRuntime().halt(1);
    }
}
