package io.mirante.platform.web;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.codec.multipart.FilePartEvent;
import org.springframework.http.codec.multipart.FormPartEvent;
import org.springframework.http.codec.multipart.PartEvent;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A multipart form with one file in the part {@code file} and fields beside it. The file is stored as it comes, in constant
 * memory.
 *
 * @param file where it was stored
 * @param fileName as the client calls it
 * @param fields the other parts, by name
 */
public record FileForm(Path file, String fileName, Map<String, String> fields) {

    private static final String FILE = "file";

    /** A form that is coming in. Not thread-safe: its parts come one after the other. */
    private static final class Incoming {
        private final Set<String> allowed;
        private final Callable<Path> place;
        private final long maxBytes;
        private final TreeMap<String, String> fields = new TreeMap<>();
        private @Nullable Path file;
        private String fileName = "";

        Incoming(Set<String> allowed, Callable<Path> place, long maxBytes) {
            this.allowed = allowed;
            this.place = place;
            this.maxBytes = maxBytes;
        }

        Mono<Void> take(PartEvent first, Flux<PartEvent> events) {
            if (first instanceof FormPartEvent field && allowed.contains(field.name())) {
                fields.put(field.name(), field.value());
                return events.then();
            }
            if (!(first instanceof FilePartEvent part) || !part.name().equals(FILE)) {
                return release(events)
                        .then(
                                Mono.error(() ->
                                        ProblemException.malformed(
                                                "/" + first.name(),
                                                "unknown_field",
                                                "the parts are %s and %s"
                                                        .formatted(
                                                                FILE,
                                                                String.join(", ", allowed)))));
            }
            if (file != null) {
                return release(events)
                        .then(
                                Mono.error(() ->
                                        ProblemException.malformed(
                                                "/" + FILE, "repeated", "one file at a time")));
            }
            fileName = part.filename();
            return Mono.fromCallable(place)
                    .doOnNext(created -> file = created)
                    .onErrorResume(e -> release(events).then(Mono.error(e)))
                    .flatMap(path ->
                            DataBufferUtils.write(bounded(events.map(PartEvent::content)), path));
        }

        private static Mono<Void> release(Flux<PartEvent> events) {
            return events.doOnNext(event -> DataBufferUtils.release(event.content())).then();
        }

        private Flux<DataBuffer> bounded(Flux<DataBuffer> content) {
            var read = new AtomicLong();
            return content.handle((buffer, sink) -> {
                if (read.addAndGet(buffer.readableByteCount()) > maxBytes) {
                    DataBufferUtils.release(buffer);
                    sink.error(
                            ProblemException.tooLarge(
                                    "the file is larger than %d bytes; send it in parts, or packed"
                                            .formatted(maxBytes)));
                } else {
                    sink.next(buffer);
                }
            });
        }

        FileForm complete() throws IOException {
            var stored = file;
            if (stored == null) {
                throw ProblemException.malformed(
                        "/" + FILE, "required", "the part file is required, with its file name");
            }
            if (Files.size(stored) == 0) {
                throw ProblemException.malformed("/" + FILE, "required", "the file is empty");
            }
            return new FileForm(stored, fileName, fields);
        }

        Mono<Void> discard() {
            var stored = file;
            return stored == null ? Mono.empty() : FileForm.delete(stored);
        }
    }

    public FileForm {
        fields = Map.copyOf(fields);
    }

    /**
     * Takes a form in.
     *
     * @param parts as they come
     * @param fields names of parts besides the file
     * @param place makes an empty file for it
     * @param maxBytes of the file
     * @return the form; an error when it is no such form, with nothing stored
     */
    public static Mono<FileForm> receive(
            Flux<PartEvent> parts, Set<String> fields, Callable<Path> place, long maxBytes) {
        var form = new Incoming(new TreeSet<>(fields), place, maxBytes);
        return parts.windowUntil(PartEvent::isLast)
                .concatMap(part ->
                        part.switchOnFirst((first, events) -> {
                            var event = first.get();
                            return event == null ? events.then() : form.take(event, events);
                        }))
                .then(Mono.fromCallable(form::complete))
                .onErrorResume(e -> form.discard().then(Mono.error(e)));
    }

    /** Removes the file again. */
    public Mono<Void> discard() {
        return delete(file);
    }

    private static Mono<Void> delete(Path file) {
        return Mono.fromCallable(() -> Files.deleteIfExists(file)).onErrorComplete().then();
    }
}
