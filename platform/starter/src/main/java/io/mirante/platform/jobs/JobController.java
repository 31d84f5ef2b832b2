package io.mirante.platform.jobs;

import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.core.io.FileSystemResource;
import org.springframework.core.io.Resource;
import org.springframework.http.ContentDisposition;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code /api/v1/jobs/{id}}: the same in every service; the gateway routes by the id's prefix. */
@RestController
@RequestMapping("/api/v1/jobs/{id}")
public class JobController {

    private final Jobs jobs;
    private final Path files;

    JobController(Jobs jobs, Path files) {
        this.jobs = jobs;
        this.files = files;
    }

    /** The 202 that starts a job's life for the caller. */
    public static ResponseEntity<JobAccepted> accepted(Job job) {
        return ResponseEntity.accepted()
                .location(URI.create("/api/v1/jobs/" + job.id()))
                .body(new JobAccepted(job.id()));
    }

    @GetMapping
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<Job> show(@PathVariable String id, Caller caller) {
        return job(id, caller);
    }

    @DeleteMapping
    @PreAuthorize(Scopes.MANAGE_OR_INTERNAL)
    Mono<Job> cancel(@PathVariable String id, Caller caller) {
        return jobs.cancel(caller.tenant(), id).switchIfEmpty(missing(id));
    }

    @GetMapping("/files/{name}")
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<ResponseEntity<Resource>> file(
            @PathVariable String id, @PathVariable String name, Caller caller) {
        return job(id, caller)
                .flatMap(job -> {
                    var folder = files.resolve(job.id());
                    var file = folder.resolve(name).normalize();
                    if (!folder.equals(file.getParent()) || !Files.isRegularFile(file)) {
                        return Mono.error(ProblemException.notFound("file " + name));
                    }
                    return Mono.just(
                            ResponseEntity.ok()
                                    .contentType(MediaType.APPLICATION_OCTET_STREAM)
                                    .header(
                                            HttpHeaders.CONTENT_DISPOSITION,
                                            ContentDisposition.attachment()
                                                    .filename(name)
                                                    .build()
                                                    .toString())
                                    .<Resource>body(new FileSystemResource(file)));
                });
    }

    private Mono<Job> job(String id, Caller caller) {
        return jobs.find(caller.tenant(), id).switchIfEmpty(missing(id));
    }

    private static Mono<Job> missing(String id) {
        return Mono.error(() -> ProblemException.notFound("job " + id));
    }

    /** Body of the 202. */
    public record JobAccepted(String jobId) {}
}
