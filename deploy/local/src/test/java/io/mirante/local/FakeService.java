package io.mirante.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Stands in for a service's jar: extracts itself as Boot's jars do, ends at once in a training run, and otherwise answers
 * that it is ready, or the value of the variable that the path names, unless it is told to fail or that a consumer is stopped.
 */
public final class FakeService {
    private FakeService() {}

    public static void main(String[] arguments) throws IOException {
        if (System.getProperty("jarmode") != null) {
            Path jar = Path.of(System.getProperty("java.class.path"));
            Path target = Path.of(arguments[2]);
            Files.createDirectories(target);
            Files.copy(jar, target.resolve(jar.getFileName()));
            return;
        }
        if (System.getProperty("spring.context.exit") != null) {
            return;
        }
        if (System.getenv("FAKE_FAILURE") != null
                && System.getenv("FAKE_FAILURE").equals(System.getenv("MIRANTE_INSTANCE"))) {
            System.out.println("this service cannot start");
            System.exit(1);
        }
        for (String name : new String[] {"SERVER_PORT", "MANAGEMENT_SERVER_PORT"}) {
            var address =
                    new InetSocketAddress(
                            InetAddress.getLoopbackAddress(),
                            Integer.parseInt(System.getenv(name)));
            var server = HttpServer.create(address, 0);
            server.createContext(
                    "/",
                    exchange -> {
                        String variable = exchange.getRequestURI().getPath().substring(1);
                        if (variable.endsWith("readiness")
                                && System.getenv("MIRANTE_INSTANCE")
                                        .equals(System.getenv("FAKE_STOPPED"))) {
                            byte[] stopped =
                                    """
                                    {"status": "DOWN", "components": {"consumers": {"status": "DOWN",
                                      "details": {"storeEvents": "do this, or that"}}}}
                                    """
                                            .getBytes(UTF_8);
                            exchange.sendResponseHeaders(503, stopped.length);
                            exchange.getResponseBody().write(stopped);
                            exchange.close();
                            return;
                        }
                        byte[] answer = System.getenv().getOrDefault(variable, "").getBytes(UTF_8);
                        exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
                        exchange.getResponseBody().write(answer);
                        exchange.close();
                    });
            server.start();
        }
    }
}
