package io.mirante.local;

import io.mirante.local.Applications.Application;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * What makes a service's start cheaper: a class cache (JEP 483, JEP 514) and, beside it, bean definitions that Spring has
 * prepared ({@link SpringBeans}). Keyed by the JDK, the jar's content, the JVM's flags and the settings that Spring's
 * conditions may depend on; with others the service starts the usual way until they are made for those. A cache that is
 * missing or does not fit never stops a start: the JVM then loads its classes the usual way.
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

    /** Where the cache of this jar, JDK, these flags and settings lies, or would. */
    Path file(ServiceName service, Application application) {
        return home.aot().resolve(key(service, application) + ".aot");
    }

    /** Where the prepared bean definitions lie, or would. */
    Path beans(ServiceName service, Application application) {
        return home.aot().resolve(key(service, application) + ".beans.jar");
    }

    private String key(ServiceName service, Application application) {
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
                        + String.join(" ", Jvm.flags(settings, service))
                        + " "
                        + settings.conditions();
        crc.update(key.getBytes(StandardCharsets.UTF_8));
        return "%s-%s-%08x".formatted(service.id(), application.hash(), crc.getValue());
    }

    /** Whether a start will use a cache. */
    boolean has(ServiceName service, Application application) {
        return settings.aot() && Files.exists(file(service, application));
    }

    boolean isMissing(ServiceName service, Application application) {
        return settings.aot() && !Files.exists(file(service, application));
    }

    /** What follows the flags on a service's command line. */
    List<String> start(ServiceName service, Application application) throws IOException {
        Path cache = file(service, application);
        if (!has(service, application)) {
            return List.of("-jar", application.jar().toString());
        }
        var command = new ArrayList<String>();
        command.add("-XX:AOTCache=" + cache);
        command.add("-XX:AOTMode=auto");
        command.add("-Xlog:aot=off");
        command.add("-Xlog:aot*=off");
        command.addAll(run(service, application));
        return command;
    }

    /** Runs the service with its prepared bean definitions where there are some: a cache fits one class path only. */
    List<String> run(ServiceName service, Application application) throws IOException {
        Path beans = beans(service, application);
        if (!Files.exists(beans) || SpringBeans.haveOtherSources(System.getenv(), home.folder())) {
            return List.of("-jar", application.jar().toString());
        }
        return List.of(
                "-Dspring.aot.enabled=true",
                "-cp",
                beans + File.pathSeparator + application.jar(),
                application.mainClass());
    }

    /** Removes what was made for the service before. */
    void keepOnly(ServiceName service, Application application) throws IOException {
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(home.aot(), service.id() + "-*")) {
            for (Path other : files) {
                if (!other.equals(file(service, application))
                        && !other.equals(beans(service, application))) {
                    Files.deleteIfExists(other);
                }
            }
        }
    }
}
