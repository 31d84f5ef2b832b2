package io.mirante.snapshot.behaviour;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Scopes;
import io.mirante.snapshot.CountedUpTo;
import io.mirante.snapshot.lake.LakeReader;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import java.util.List;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** Paths: what people do next. */
@RestController
class JourneyController {

    private final LakeReader lake;
    private final PersonWalks walks;
    private final TenantDatabase database;
    private final CountedUpTo countedUpTo;

    JourneyController(
            LakeReader lake, PersonWalks walks, TenantDatabase database, CountedUpTo countedUpTo) {
        this.lake = lake;
        this.walks = walks;
        this.database = database;
        this.countedUpTo = countedUpTo;
    }

    /** What was asked for, the type by its canonical name. */
    record Start(String type, String value) {}

    /**
     * The answer.
     *
     * @param users persons with a start
     */
    record Answer(
            Instant asOf,
            Start start,
            long users,
            List<JourneyRun.Node> nodes,
            List<JourneyRun.Edge> edges) {}

    @PostMapping("/api/v1/analytics/paths")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "What people do next, as a graph with counts",
            description =
                    "A person counts once, from the first event that meets start (type; value and filters as in a funnel's step), followed"
                            + " through depth (3, at most 10) further events, of event_types if they are named, within window from"
                            + " the start, its end included. Events of one instant are taken in the order of their keys. A node is"
                            + " an event at a depth: its type, of a page view with the path of url. Each depth has the max_nodes (10, at most 50)"
                            + " with most people, $other for the rest, $end for those who did nothing more. An edge has the people who"
                            + " went from one to the other, and how long that took. Events without a person are not looked at. start_time is included,"
                            + " end_time is not; both bound every event. 422 when there are more than 16,000 different events, or more than 4"
                            + " million are followed.")
    Mono<Answer> ask(Caller caller, @RequestBody JourneyRequest request) {
        return Mono.fromCallable(request::toJourney)
                .flatMap(journey ->
                        countedUpTo
                                .now()
                                .flatMap(asOf ->
                                        graph(caller.tenant(), journey)
                                                .map(graph -> answer(journey, graph, asOf))));
    }

    private Mono<JourneyRun.Graph> graph(String tenant, Journey journey) {
        return MergedPersons.read(tenant, database)
                .flatMap(merged -> lake.ask(() -> graph(tenant, journey, merged)));
    }

    private JourneyRun.Graph graph(String tenant, Journey journey, MergedPersons.Merged merged) {
        var events = new JourneyEvents(journey);
        return walks.walk(
                        tenant,
                        journey.scan(),
                        merged,
                        0,
                        events,
                        () -> new JourneyRun(journey, events))
                .finish();
    }

    private static Answer answer(Journey journey, JourneyRun.Graph graph, Instant asOf) {
        return new Answer(
                asOf,
                new Start(journey.start().type(), journey.start().value()),
                graph.users(),
                graph.nodes(),
                graph.edges());
    }
}
