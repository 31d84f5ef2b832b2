package io.mirante.churn.scoring;

import io.mirante.churn.registry.ModelEntry;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code /api/v1/predict}: scores one input or many. */
@RestController
@RequestMapping("/api/v1/predict")
class PredictController {

    private static final int MOST_ROWS = 10_000;

    private final PredictOnRequest scoring;

    PredictController(PredictOnRequest scoring) {
        this.scoring = scoring;
    }

    /**
     * What to score: {@code input}, or without it the stored features of {@code customerId}.
     *
     * @param model {@code churn}, the default
     * @param modelId default: the model in force
     */
    record PredictRequest(
            @Nullable String model,
            @Nullable String modelId,
            @Nullable String customerId,
            @Nullable JsonNode input) {}

    /**
     * Rows to score: each an object of features, or {@code {"customer_id": …, "input": {…}}} with either part.
     *
     * @param inputs 1 to 10,000
     */
    record BatchRequest(@Nullable String modelId, @Nullable List<JsonNode> inputs) {}

    /** Scores of the rows that could be scored, and what was wrong with the others. Lines count from 1. */
    record BatchAnswer(String modelId, List<Line> predictions, List<LineError> errors) {
        record Line(
                int line,
                @Nullable String customerId,
                String label,
                double probability,
                String risk,
                List<Prediction.Reason> reasons) {}

        record LineError(int line, String code, String message) {}
    }

    @PostMapping
    @PreAuthorize(Scopes.VIEW)
    Mono<Prediction> predict(
            @RequestBody PredictRequest request,
            @RequestParam(required = false) @Nullable String reasons,
            Caller caller) {
        checkModel(request.model());
        boolean all = wantsAll(reasons);
        return scoring.model(caller.tenant(), request.modelId())
                .flatMap(entry ->
                        row(request, entry, caller.tenant())
                                .flatMap(row ->
                                        scoring.predict(caller.tenant(), entry, List.of(row))
                                                .next()))
                .map(p -> all ? p : p.brief());
    }

    @PostMapping(path = "/batch", consumes = MediaType.APPLICATION_JSON_VALUE)
    @PreAuthorize(Scopes.VIEW)
    Mono<BatchAnswer> batch(@RequestBody BatchRequest request, Caller caller) {
        var inputs = request.inputs();
        if (inputs == null || inputs.isEmpty()) {
            throw ProblemException.malformed(
                    "/inputs", "required", "inputs must hold 1 to " + MOST_ROWS + " rows");
        }
        if (inputs.size() > MOST_ROWS) {
            throw ProblemException.tooLarge(
                    "at most " + MOST_ROWS + " rows in one call; there were " + inputs.size());
        }
        return scoring.model(caller.tenant(), request.modelId())
                .flatMap(entry -> batch(inputs, entry, caller.tenant()));
    }

    /** Scoring a CSV is not there yet; said clearly rather than with a bare 415. */
    @PostMapping(path = "/batch", consumes = MediaType.MULTIPART_FORM_DATA_VALUE)
    @PreAuthorize(Scopes.VIEW)
    Mono<Void> batchOfFile() {
        return Mono.error(
                ProblemException.of(
                        HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                        "csv-scoring-not-available",
                        "scoring a CSV file is not available yet; send JSON: {\"inputs\": [{…}]}"));
    }

    private Mono<PredictOnRequest.Row> row(
            PredictRequest request, ModelEntry entry, String tenant) {
        var input = request.input();
        var customer = request.customerId();
        if (input != null && !input.isNull()) {
            if (!input.isObject()) {
                throw ProblemException.malformed(
                        "/input", "wrong_type", "input must be an object of features");
            }
            return Mono.just(
                    new PredictOnRequest.Row(
                            1, customer, PredictOnRequest.features(input, entry, "/input"), null));
        }
        if (customer == null || customer.isEmpty()) {
            throw ProblemException.malformed(
                    "/input", "required", "either input or customer_id is required");
        }
        return scoring.stored(tenant, customer, 1)
                .switchIfEmpty(
                        Mono.error(
                                () -> ProblemException.notFound("features of user " + customer)));
    }

    private Mono<BatchAnswer> batch(List<JsonNode> inputs, ModelEntry entry, String tenant) {
        var errors = new ArrayList<BatchAnswer.LineError>();
        return Flux.range(1, inputs.size())
                .concatMap(line -> row(inputs.get(line - 1), line, entry, tenant, errors))
                .collectList()
                .flatMap(rows ->
                        scoring.predict(tenant, entry, rows)
                                .zipWithIterable(rows)
                                .map(pair -> line(pair.getT2().line(), pair.getT1()))
                                .collectList())
                .map(lines -> new BatchAnswer(entry.id(), lines, errors));
    }

    private Mono<PredictOnRequest.Row> row(
            JsonNode input,
            int line,
            ModelEntry entry,
            String tenant,
            List<BatchAnswer.LineError> errors) {
        if (!input.isObject()) {
            errors.add(new BatchAnswer.LineError(line, "wrong_type", "a row must be an object"));
            return Mono.empty();
        }
        var customerNode = input.path("customer_id");
        var customer = customerNode.isString() ? customerNode.stringValue() : null;
        boolean wrapped = input.has("customer_id") || input.path("input").isObject();
        var given = wrapped ? input.path("input") : input;
        if (!given.isObject()) {
            if (customer == null) {
                errors.add(
                        new BatchAnswer.LineError(
                                line, "required", "either input or customer_id is required"));
                return Mono.empty();
            }
            return scoring.stored(tenant, customer, line)
                    .switchIfEmpty(
                            Mono.fromRunnable(() ->
                                    errors.add(
                                            new BatchAnswer.LineError(
                                                    line,
                                                    "not_found",
                                                    "no features of user " + customer))));
        }
        var wrong = new ArrayList<FieldError>();
        var features = PredictOnRequest.features(given, entry, "", wrong);
        if (!wrong.isEmpty()) {
            errors.add(
                    new BatchAnswer.LineError(
                            line, wrong.getFirst().code(), wrong.getFirst().message()));
            return Mono.empty();
        }
        return Mono.just(new PredictOnRequest.Row(line, customer, features, null));
    }

    private static BatchAnswer.Line line(int line, Prediction p) {
        return new BatchAnswer.Line(
                line, p.customerId(), p.label(), p.probability(), p.risk(), p.brief().reasons());
    }

    private static void checkModel(@Nullable String model) {
        if (model != null && !model.equals("churn")) {
            throw model.equals("conversion")
                    ? ProblemException.impossible(
                            "model-kind-not-available", "only churn is predicted so far")
                    : ProblemException.malformed(
                            "/model", "unknown", "model must be churn, was " + model);
        }
    }

    private static boolean wantsAll(@Nullable String reasons) {
        if (reasons == null || reasons.equals("all")) {
            return reasons != null;
        }
        throw ProblemException.malformed("?reasons", "unknown", "reasons must be all, or left out");
    }
}
