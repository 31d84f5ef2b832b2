package io.mirante.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.local.Applications.Application;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SpringBeansTest {
    @TempDir Path folder;

    private Application application;
    private Path beans;

    @BeforeEach
    void makeAnApplication() throws IOException {
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, "a.Main");
        Path jar = folder.resolve("app.jar");
        new JarOutputStream(Files.newOutputStream(jar), manifest).close();
        application = new Application(jar, "0123456789abcdef");
        beans = folder.resolve("made.beans.jar");
    }

    @Test
    void settingsAreWhatConditionsMayAskFor() {
        assertThat(
                        SpringBeans.settings(
                                Map.of(
                                        "SPRING_JMX_ENABLED", "true",
                                        "TRACING_ENABLED", "true",
                                        "ENABLE_CORS", "on",
                                        "MIRANTE_HOME", "/a",
                                        "PATH", "/bin",
                                        "TERM", "xterm")))
                .containsOnlyKeys("ENABLE_CORS", "SPRING_JMX_ENABLED", "TRACING_ENABLED");
    }

    /** What was made for other settings must not be used: a service would have the wrong beans. */
    @Test
    void otherSettingsHaveOtherFiles() {
        assertThat(files(Map.of("TRACING_ENABLED", "true"))).isNotEqualTo(files(Map.of()));
        assertThat(files(Map.of("TERM", "xterm", "MIRANTE_HOME", folder.toString())))
                .isEqualTo(files(Map.of("MIRANTE_HOME", folder.toString())));
    }

    /** The JVM would refuse what another has made; what it would not refuse may be slower. */
    @Test
    void anotherJdkJarOrFlagHasOtherFiles() {
        var settings = MeshSettings.from(Map.of(), folder);
        var home = new Home(settings.home());
        var jdk = new AotCaches(home, settings, "25.0.3+9 Eclipse Adoptium /opt/jdk-25");
        var flags =
                MeshSettings.from(Map.of("MESH_JVM_FLAGS", "-XX:+UseStringDeduplication"), folder);
        assertThat(
                        Stream.of(
                                jdk.file(ServiceName.ETL, application),
                                new AotCaches(
                                                home,
                                                settings,
                                                "25.0.4+7 Eclipse Adoptium /opt/jdk-25")
                                        .file(ServiceName.ETL, application),
                                new AotCaches(home, settings).file(ServiceName.ETL, application),
                                new AotCaches(home, flags).file(ServiceName.ETL, application),
                                jdk.file(ServiceName.CHURN, application),
                                jdk.file(
                                        ServiceName.ETL,
                                        new Application(application.jar(), "fedcba9876543210"))))
                .doesNotHaveDuplicates();
        assertThat(Jvm.jdk())
                .startsWith(Runtime.version() + " ")
                .endsWith(System.getProperty("java.home"));
    }

    private List<Path> files(Map<String, String> environment) {
        var all = new HashMap<>(environment);
        all.put("MIRANTE_HOME", folder.toString());
        var settings = MeshSettings.from(all, folder);
        var caches = new AotCaches(new Home(settings.home()), settings);
        return List.of(
                caches.file(ServiceName.ETL, application),
                caches.beans(ServiceName.ETL, application));
    }

    @Test
    void configurationFilesBesideTheServiceAreOtherSources() throws IOException {
        assertThat(SpringBeans.haveOtherSources(Map.of(), folder)).isFalse();
        assertThat(SpringBeans.haveOtherSources(Map.of("SPRING_CONFIG_IMPORT", "x"), folder))
                .isTrue();
        Files.createFile(folder.resolve("application-local.yml"));
        assertThat(SpringBeans.haveOtherSources(Map.of(), folder)).isTrue();
    }

    @Test
    void startsAsUsualUntilACacheIsThereAndWithItsBeansAfterwards() throws IOException {
        Path home = Files.createDirectories(folder.resolve("home/aot")).getParent();
        var settings = MeshSettings.from(Map.of("MIRANTE_HOME", home.toString()), folder);
        var caches = new AotCaches(new Home(home), settings);
        String jar = application.jar().toString();
        Path made = Files.createFile(caches.beans(ServiceName.ETL, application));

        assertThat(caches.start(ServiceName.ETL, application)).containsExactly("-jar", jar);

        Path cache = Files.createFile(caches.file(ServiceName.ETL, application));
        Path old = Files.createFile(home.resolve("aot/etl-old.beans.jar"));
        caches.keepOnly(ServiceName.ETL, application);
        assertThat(old).doesNotExist();
        assertThat(caches.start(ServiceName.ETL, application))
                .startsWith("-XX:AOTCache=" + cache)
                .endsWith("-Dspring.aot.enabled=true", "-cp", made + ":" + jar, "a.Main");

        Files.delete(made);
        assertThat(caches.start(ServiceName.ETL, application))
                .startsWith("-XX:AOTCache=" + cache)
                .endsWith("-jar", jar);
    }

    @Test
    void packsWhatTheCompilerMakesOfWhatSpringWrites() throws Exception {
        var programs = new ArrayList<String>();
        SpringBeans.prepare(
                ServiceName.ETL,
                application,
                beans,
                command -> {
                    programs.add(Path.of(command.getFirst()).getFileName().toString());
                    if (command.contains("a.Main")) {
                        Path sources = Path.of(command.get(command.indexOf("a.Main") + 1));
                        Files.writeString(
                                Files.createDirectories(sources.resolve("a")).resolve("Made.java"),
                                "package a; class Made {}");
                        return 0;
                    }
                    try {
                        return new ProcessBuilder(command).inheritIO().start().waitFor();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                });

        assertThat(programs).containsExactly("java", "javac");
        try (var jar = new JarFile(beans.toFile())) {
            assertThat(jar.getEntry("a/Made.class")).isNotNull();
        }
        assertThat(folder.resolve("made.beans.jar.new")).doesNotExist();
    }

    @Test
    void leavesNothingWhenAStepFails() {
        assertThatThrownBy(() ->
                        SpringBeans.prepare(ServiceName.ETL, application, beans, command -> 1))
                .isInstanceOf(MeshException.class)
                .hasMessage("Spring's processing ended with 1");
        assertThat(beans).doesNotExist();
        assertThat(folder.resolve("made.beans.jar.new")).doesNotExist();
    }
}
