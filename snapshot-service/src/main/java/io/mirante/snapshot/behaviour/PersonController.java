package io.mirante.snapshot.behaviour;

import io.mirante.contracts.events.EventTypes;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.CountedUpTo;
import io.swagger.v3.oas.annotations.Operation;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** What one person did. */
@RestController
@RequestMapping("/api/v1/users/{id}")
class PersonController {

    private final PersonEvents persons;
    private final PersonNumbers numbers;
    private final CountedUpTo countedUpTo;

    PersonController(PersonEvents persons, PersonNumbers numbers, CountedUpTo countedUpTo) {
        this.persons = persons;
        this.numbers = numbers;
        this.countedUpTo = countedUpTo;
    }

    record Events(Instant asOf, List<PersonEvents.Event> items, @Nullable String nextCursor) {}

    record Sessions(Instant asOf, List<PersonEvents.Session> items, @Nullable String nextCursor) {}

    @GetMapping("/events")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "A person's events, newest first",
            description =
                    "The id is a user_id, else an anonymous_id; what the person did before they were known is among them. Filters: event_type, start_time (included), end_time (not"
                            + " included).")
    Mono<Events> events(
            Caller caller,
            Paging paging,
            @PathVariable String id,
            @RequestParam(name = "event_type", defaultValue = "") String eventType,
            @RequestParam(name = "start_time", required = false) @Nullable String startTime,
            @RequestParam(name = "end_time", required = false) @Nullable String endTime) {
        var range = TimeRange.ofQuery(startTime, endTime);
        var type = eventType.isEmpty() ? "" : EventTypes.canonicalName(eventType);
        var after = place(paging);
        return countedUpTo
                .now()
                .flatMap(asOf ->
                        numbers(caller, id)
                                .flatMap(person ->
                                        persons.events(
                                                caller.tenant(),
                                                person,
                                                range,
                                                type,
                                                after,
                                                paging.limit() + 1))
                                .map(rows ->
                                        Page.of(
                                                rows,
                                                paging.limit(),
                                                e -> e.timestamp() + "|" + e.eventId()))
                                .map(page -> new Events(asOf, page.items(), page.nextCursor())));
    }

    @GetMapping("/sessions")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "A person's sessions, newest first",
            description =
                    "A session is the client's session_id; events without one make a new session after 30 minutes without"
                            + " such an event.")
    Mono<Sessions> sessions(
            Caller caller,
            Paging paging,
            @PathVariable String id,
            @RequestParam(name = "start_time", required = false) @Nullable String startTime,
            @RequestParam(name = "end_time", required = false) @Nullable String endTime) {
        var range = TimeRange.ofQuery(startTime, endTime);
        var after = place(paging);
        return countedUpTo
                .now()
                .flatMap(asOf ->
                        numbers(caller, id)
                                .flatMap(person ->
                                        persons.sessions(
                                                caller.tenant(),
                                                person,
                                                range,
                                                after,
                                                paging.limit() + 1))
                                .map(rows ->
                                        Page.of(
                                                rows,
                                                paging.limit(),
                                                s -> s.startedAt() + "|" + s.firstEventId()))
                                .map(page -> new Sessions(asOf, page.items(), page.nextCursor())));
    }

    private Mono<List<Long>> numbers(Caller caller, String id) {
        if (id.indexOf('\0') >= 0) {
            return Mono.error(ProblemException.notFound("this user"));
        }
        return numbers.of(caller.tenant(), List.of(id))
                .filter(found -> !found.isEmpty())
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("user " + id)));
    }

    private static Optional<PersonEvents.Place> place(Paging paging) {
        var after = paging.after();
        if (after == null) {
            return Optional.empty();
        }
        int bar = after.indexOf('|');
        try {
            if (bar > 0 && after.indexOf('\0') < 0) {
                return Optional.of(
                        new PersonEvents.Place(
                                Instant.parse(after.substring(0, bar)), after.substring(bar + 1)));
            }
        } catch (DateTimeException e) {
            // the same answer as for one of another form
        }
        throw ProblemException.malformed(
                "?cursor", "invalid", "cursor must be the next_cursor of an earlier answer");
    }
}
