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
 * <p>Caches come from separate runs ({@link Training}), each until the service is ready. One that ends before anything is started
 * leaves out what a start itself loads: with it the alert service used 3.1 s of CPU until it was ready, with all of it 2.4 s.
 * Recording in the mesh's own first start would make that start, and the stop that writes the cache, several times slower.
 */
final class AotCaches {
    private final Home home;
    private final MeshSettings settings;
    private final String jdk;

    AotCaches(Home home, MeshSettings settings) {
        this(home, settings, Jvm.jdk());
    }

    /**
     * Those of one JDK.
     *
     * @param jdk as of {@link Jvm#jdk}
     */
    AotCaches(Home home, MeshSettings settings, String jdk) {
        this.home = home;
        this.settings = settings;
        this.jdk = jdk;
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
                jdk
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
