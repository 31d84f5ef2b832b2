package io.mirante.local;

import io.mirante.local.Applications.Application;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Class caches (JEP 483, JEP 514), one per service, keyed by the JDK, the jar's content and the JVM's flags. A cache that
 * is missing or does not fit never stops a start: the JVM then says so in the log and loads its classes the usual way.
 *
 * <p>Caches come from separate runs ({@link Training}). Measured with a bare WebFlux application on two cores: ready after
 * 2.7 s (3.5 s CPU) without a cache and 1.2 s (1.6 s CPU) with one. Recording while the application serves
 * ({@code -XX:AOTCacheOutput} at the first start) gave the same cache, but made that start 5.0 s and its stop 10.9 s
 * instead of 2.0 s, and a stop that is cut short leaves none; a run that ends before anything is started took 8.8 s in the
 * background and gave 1.3 s (1.8 s CPU).
 */
final class AotCaches {
    private final Home home;
    private final MeshSettings settings;

    AotCaches(Home home, MeshSettings settings) {
        this.home = home;
        this.settings = settings;
    }

    /** Where the cache of this jar, JDK and these flags lies, or would. */
    Path file(ServiceName service, Application application) {
        var crc = new CRC32();
        String key =
                Runtime.version()
                        + " "
                        + System.getProperty("java.vm.vendor")
                        + " "
                        + System.getProperty("java.home")
                        + " "
                        + application.jar()
                        + " "
                        + String.join(" ", Jvm.flags(settings, service));
        crc.update(key.getBytes(StandardCharsets.UTF_8));
        return home.aot()
                .resolve(
                        "%s-%s-%08x.aot"
                                .formatted(service.id(), application.hash(), crc.getValue()));
    }

    boolean isMissing(ServiceName service, Application application) {
        return settings.aot() && !Files.exists(file(service, application));
    }

    /** The JVM's flags for a start: none when there is no cache. */
    List<String> flags(ServiceName service, Application application) {
        Path cache = file(service, application);
        return settings.aot() && Files.exists(cache)
                ? List.of(
                        "-XX:AOTCache=" + cache,
                        "-XX:AOTMode=auto",
                        "-Xlog:aot=off",
                        "-Xlog:aot*=off")
                : List.of();
    }

    /** Removes the service's other caches. */
    void keepOnly(ServiceName service, Path cache) throws IOException {
        try (DirectoryStream<Path> caches =
                Files.newDirectoryStream(home.aot(), service.id() + "-*")) {
            for (Path other : caches) {
                if (!other.equals(cache)) {
                    Files.deleteIfExists(other);
                }
            }
        }
    }
}
