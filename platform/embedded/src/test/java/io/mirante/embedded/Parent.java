package io.mirante.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A JVM that starts a server and then waits to be killed. */
final class Parent {
    private Parent() {}

    static Process start(String server, Path folder) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Parent.class.getName(),
                        server,
                        folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("parent.log").toFile())
                .start();
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path folder = Path.of(arguments[1]);
        if (arguments[0].equals("postgres")) {
            PostgresServer.start(
                    PostgresServer.Settings.in(folder.resolve("data"), "secret").forTests());
        } else {
            KafkaServer.start(KafkaServer.Settings.in(folder.resolve("kafka")).forTests());
        }
        Files.writeString(folder.resolve("started"), "");
        Thread.currentThread().join();
    }
}
