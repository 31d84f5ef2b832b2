package io.mirante.etl.runs;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Clock;
import java.time.ZoneId;
import org.springframework.http.HttpStatus;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code /api/v1/etl/schedules}: runs that begin by themselves. */
@RestController
@RequestMapping("/api/v1/etl/schedules")
class ScheduleController {

    private final TenantDatabase database;
    private final Tenants tenants;
    private final Clock clock = Clock.systemUTC();

    ScheduleController(TenantDatabase database, Tenants tenants) {
        this.database = database;
        this.tenants = tenants;
    }

    @PostMapping
    @ResponseStatus(HttpStatus.CREATED)
    @PreAuthorize(Scopes.ADMIN)
    @Operation(
            summary = "Have a run begin by itself",
            description =
                    "Times that are missed are made up for by one run. While a schedule's run is not over its next time is"
                            + " skipped. A schedule of the same name is replaced.")
    Mono<Schedule> put(@RequestBody ScheduleRequest request, Caller caller) {
        var tenant = caller.tenant();
        var valid = request.validated(ZoneId.of(tenants.settings(tenant).timezone()));
        return database.one(
                tenant,
                db ->
                        Sources.require(db, tenant, valid.run())
                                .then(
                                        Mono.defer(() ->
                                                Schedules.put(
                                                        db,
                                                        tenant,
                                                        valid,
                                                        valid.next(clock.instant())))));
    }

    @GetMapping
    @PreAuthorize(Scopes.VIEW)
    Mono<Page<Schedule>> list(Caller caller, Paging paging) {
        return database.one(caller.tenant(), db -> Schedules.list(db, caller.tenant(), paging));
    }

    @DeleteMapping("/{name}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @PreAuthorize(Scopes.ADMIN)
    @Operation(summary = "Forget a schedule; its runs stay")
    Mono<Void> delete(@PathVariable String name, Caller caller) {
        return database.one(caller.tenant(), db -> Schedules.delete(db, caller.tenant(), name))
                .filter(found -> found)
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("schedule " + name)))
                .then();
    }
}
