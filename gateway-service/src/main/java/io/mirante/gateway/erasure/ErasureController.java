package io.mirante.gateway.erasure;

import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.gateway.audit.AuditLog;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** {@code DELETE /api/v1/users/{id}}. */
@RestController
class ErasureController {

    private static final int MAX_ID = 400;

    private final TenantDatabase database;
    private final PersonErasures erasures;
    private final AuditLog audit;

    ErasureController(TenantDatabase database, PersonErasures erasures, AuditLog audit) {
        this.database = database;
        this.erasures = erasures;
        this.audit = audit;
    }

    @DeleteMapping("/api/v1/users/{id}")
    @PreAuthorize(Scopes.ADMIN)
    @Operation(
            summary = "Erases a person everywhere, a job that ends with a receipt",
            description =
                    "Totals stay: events are kept without what identifies, under a number that leads nowhere. The job's"
                            + " result says what each service removed where, and what Kafka and backups still hold until"
                            + " when. Asked again while it runs, the answer is the same job; later, another one that"
                            + " removes what has come since. Events that come afterwards with this id make a new person."
                            + " Also 202 for an id that is not known: nothing tells whether it ever was.")
    Mono<ResponseEntity<JobController.JobAccepted>> erase(
            @PathVariable String id, Caller caller, ServerWebExchange exchange) {
        if (id.isBlank() || id.length() > MAX_ID || id.chars().anyMatch(Character::isISOControl)) {
            throw ProblemException.malformed(
                    "{id}", "invalid", "a user id has 1 to %d characters".formatted(MAX_ID));
        }
        var tenant = caller.tenant();
        return database.one(
                        tenant,
                        db ->
                                erasures.request(tenant, id, db)
                                        .delayUntil(job ->
                                                audit.act(
                                                        db,
                                                        tenant,
                                                        caller,
                                                        exchange,
                                                        HttpStatus.ACCEPTED,
                                                        "user.erased",
                                                        PersonErasure.hash(tenant, id),
                                                        job.id())))
                .map(JobController::accepted);
    }
}
