package io.mirante.etl.runs;

import io.mirante.etl.quality.Thresholds;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code /api/v1/quality}: the last run of each source, and from when checks pass. */
@RestController
@RequestMapping("/api/v1/quality")
class QualityController {

    private final TenantDatabase database;
    private final QualityThresholdStore thresholds;

    QualityController(TenantDatabase database, QualityThresholdStore thresholds) {
        this.database = database;
        this.thresholds = thresholds;
    }

    /** The last completed run of each source. */
    record Latest(List<Run> items) {
        Latest {
            items = List.copyOf(items);
        }
    }

    /**
     * Thresholds by check.
     *
     * @param inForce of all checks
     * @param own those that the tenant has set
     */
    record InForce(Map<String, Double> inForce, Map<String, Double> own) {}

    /** Those to set; what is not named is as the tenant's settings and the installation say. */
    record Own(@Nullable Map<String, @Nullable Double> own) {}

    @GetMapping
    @PreAuthorize(Scopes.VIEW)
    @Operation(summary = "The last completed run of each source")
    Mono<Latest> latest(Caller caller) {
        return database.many(caller.tenant(), db -> Runs.latest(db, caller.tenant()))
                .collectList()
                .map(Latest::new);
    }

    @GetMapping("/thresholds")
    @PreAuthorize(Scopes.VIEW)
    @Operation(summary = "From when checks pass")
    Mono<InForce> thresholds(Caller caller) {
        return database.one(caller.tenant(), db -> show(db, caller.tenant()));
    }

    @PutMapping("/thresholds")
    @PreAuthorize(Scopes.ADMIN)
    @Operation(summary = "Set from when checks pass, in place of what was set before")
    Mono<InForce> set(@RequestBody Own request, Caller caller) {
        var valid = valid(request);
        return database.one(
                caller.tenant(),
                db ->
                        thresholds
                                .replace(db, caller.tenant(), valid)
                                .then(Mono.defer(() -> show(db, caller.tenant()))));
    }

    private Mono<InForce> show(DatabaseClient db, String tenant) {
        return thresholds
                .inForce(db, tenant)
                .flatMap(all ->
                        thresholds
                                .own(db, tenant)
                                .map(own -> new InForce(all.byCheck(), new TreeMap<>(own))));
    }

    private static Map<String, Double> valid(Own request) {
        var own = request.own();
        if (own == null) {
            throw ProblemException.malformed(
                    "/own", "required", "own must hold thresholds by check, {} for none");
        }
        var errors = new ArrayList<FieldError>();
        var valid = new TreeMap<String, Double>();
        own.forEach((check, value) -> {
            var refusal = Thresholds.refusal(check, value == null ? Double.NaN : value);
            refusal.ifPresent(
                    message -> errors.add(new FieldError("/own/" + check, "invalid", message)));
            if (value != null) {
                valid.put(check, value);
            }
        });
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return valid;
    }
}
