package io.mirante.ingestion.imports;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.contracts.Json;
import io.mirante.contracts.gateway.Limits;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.events.EventItems;
import io.mirante.ingestion.intake.EventLimits;
import io.mirante.ingestion.intake.TenantRules;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.keys.MasterKeys;
import io.mirante.platform.keys.Seal;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.springframework.util.unit.DataSize;

/** Imports a file in a JVM of its own, into a Kafka that acknowledges and forgets. */
final class SmallHeapImport {

    private SmallHeapImport() {}

    /**
     * @param arguments a folder for uploads and the job's files, and the file
     */
    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        var folder = Path.of(arguments[0]);
        var file = Path.of(arguments[1]);
        var producer =
                (Producer<byte[], byte[]>)
                        Proxy.newProxyInstance(
                                SmallHeapImport.class.getClassLoader(),
                                new Class<?>[] {Producer.class},
                                (proxy, method, parameters) -> {
                                    if (method.getName().equals("send") && parameters.length == 2) {
                                        ((Callback) parameters[1]).onCompletion(null, null);
                                        return CompletableFuture.completedFuture(null);
                                    }
                                    return null;
                                });
        var uploads = new Uploads(folder);
        var upload = uploads.create();
        Files.delete(upload);
        Files.createLink(upload, file);
        var keys = MasterKeys.random();
        var tenants = new TenantRules(TenantSettings::defaults, keys);
        var settings =
                new IngestionSettings(
                        65_536,
                        8 * 1024 * 1024,
                        5_000,
                        Duration.ofMinutes(15),
                        Duration.ofMillis(800));
        var rejections = new Rejections(new Seal(keys), tenants, settings);
        var imports =
                new ImportEvents(
                        uploads,
                        new EventItems(rejections, tenants),
                        rejections,
                        new EventLimits(
                                tenant -> Limits.DEFAULT,
                                0,
                                System::nanoTime,
                                null,
                                new SimpleMeterRegistry()),
                        new EventLog(producer, producer),
                        new SimpleMeterRegistry(),
                        settings,
                        new ImportSettings(DataSize.ofGigabytes(4), DataSize.ofGigabytes(64)),
                        Clock.systemUTC());
        var order =
                new ImportOrder(
                        upload.getFileName().toString(),
                        file.getFileName().toString(),
                        "large",
                        Files.size(file),
                        null);
        var result =
                imports.run(
                        new JobContext(
                                "j",
                                "demo",
                                Json.mapper().valueToTree(order),
                                folder.resolve("job"),
                                (progress, detail) -> {},
                                () -> false));
        Files.writeString(folder.resolve("result.json"), result.toString());
    }
}
