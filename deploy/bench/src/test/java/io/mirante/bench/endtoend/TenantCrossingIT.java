package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.SoftAssertions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Every route that the services describe, called with the key of one tenant and the ids of another. The routes come from
 * the running mesh and the ids from the first tenant's own answers, so that a new route is covered by being there; one
 * that no id of the first tenant leads to fails the test until {@link #fill} makes such a thing.
 */
@ExtendWith(RunningMesh.class)
class TenantCrossingIT {

    /** Stands in every text that the first tenant sends, and in nothing else. */
    private static final String MARK = "qxmark";

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final int USERS = 120;
    private static final int DAYS = 12;

    /** The scopes of somebody who runs one tenant. */
    private static final List<String> SCOPES =
            List.of("ingest", "analytics.view", "analytics.manage", "admin");

    /** Change by themselves. */
    private static final Set<String> VOLATILE =
            Set.of("as_of", "logged_as_of", "last_used_at", "generated_at");

    /** Answers with a socket, not with an answer; what its feed shows is tried where it is made. */
    private static final String SOCKET = "GET /ws";

    /** Changes with every call of the tenant's own. */
    private static final Set<String> OWN_LIFE =
            Set.of("GET /metrics", "GET /health", "GET /health/ready", "GET /api/v1/admin/audit");

    private final Instant start =
            Instant.now().truncatedTo(ChronoUnit.DAYS).minus(DAYS, ChronoUnit.DAYS);
    private final Map<String, String> values =
            Map.of(
                    "scope",
                    "commerce",
                    "start_time",
                    start.toString(),
                    "end_time",
                    start.plus(DAYS + 2, ChronoUnit.DAYS).toString(),
                    "occurred_at",
                    start.toString(),
                    "ideal_cycle_seconds",
                    "10",
                    "step",
                    "1",
                    "GET /api/v1/admin/dead-letters service",
                    "etl",
                    "POST /api/v1/admin/dead-letters/replay service",
                    "etl");

    /** Ids and whole paths that a tenant's answers name: a few of each kind. */
    private record Names(TreeSet<String> ids, TreeSet<String> paths) {

        private static final int OF_EACH = 2;

        Names() {
            this(new TreeSet<>(), new TreeSet<>());
        }

        void learn(JsonNode answer) {
            learn(answer, new HashMap<>());
        }

        private void learn(JsonNode node, Map<String, Integer> learnt) {
            if (node instanceof ObjectNode object) {
                object.properties()
                        .forEach(field -> {
                            String text = field.getValue().asString("");
                            if (text.startsWith("/api/")) {
                                paths.add(text);
                            } else if (!text.isEmpty()
                                    && (field.getKey().equals("id")
                                            || field.getKey().endsWith("_id"))
                                    && learnt.merge(field.getKey(), 1, Integer::sum) <= OF_EACH) {
                                ids.add(text);
                            }
                            learn(field.getValue(), learnt);
                        });
            } else if (node instanceof ArrayNode array) {
                array.forEach(item -> learn(item, learnt));
            }
        }
    }

    /** A call that can be repeated. */
    private record Call(ServedRoute route, String path, @Nullable String place, String id) {

        @Override
        public String toString() {
            return route.method()
                    + " "
                    + path
                    + (place == null ? "" : " with %s=%s".formatted(place, id));
        }
    }

    @Test
    void noRouteShowsOrChangesWhatIsAnotherTenants(MeshUnderTest mesh) throws Exception {
        try (MeshClient platform = mesh.client();
                MeshClient one = tenant(mesh, platform, "crossing-one");
                MeshClient other = tenant(mesh, platform, "crossing-other")) {
            List<ServedRoute> routes =
                    ServedRoute.all(platform).stream()
                            .filter(route -> !route.name().equals(SOCKET))
                            .toList();
            List<ServedRoute> lists =
                    routes.stream()
                            .filter(route -> route.reads() && route.variables().isEmpty())
                            .filter(route -> route.path().startsWith("/api/"))
                            .toList();
            Map<Call, String> before = answers(other, calls(lists, new Names()));
            Names common = new Names();
            all(other, calls(lists, new Names())).values().forEach(a -> common.learn(a.body()));

            Names names = new Names();
            fill(mesh, one, names);
            learnFrom(one, lists, names);
            Map<Call, String> reachable = settled(one, routes, names);
            TreeSet<String> secrets = new TreeSet<>(names.ids());
            secrets.removeAll(common.ids());
            secrets.removeIf(id -> id.length() < 8 || id.equals("crossing-one"));
            assertThat(secrets).hasSizeGreaterThan(15);

            var softly = new SoftAssertions();
            for (ServedRoute route : routes) {
                if (route.reads() && !route.variables().isEmpty()) {
                    softly.assertThat(reachable.keySet())
                            .as("an id of the first tenant that leads to %s", route.name())
                            .anyMatch(call -> call.route().equals(route));
                }
            }
            softly.assertAll();

            // All lists, the audit log too, before the other tenant's own calls stand in it.
            all(other, calls(lists, new Names()))
                    .forEach((call, answer) ->
                            softly.assertThat(leaks(call, answer, secrets))
                                    .as("%s shows", call)
                                    .isEmpty());
            Map<Call, String> after = answers(other, calls(lists, new Names()));
            before.forEach((call, answer) ->
                    softly.assertThat(after.get(call))
                            .as("%s of the other tenant, once the first has data", call)
                            .isEqualTo(answer));

            List<Call> crossing = calls(routes, names);
            Map<Call, Answer> crossed = all(other, crossing);
            crossed.forEach((call, answer) -> {
                softly.assertThat(answer.status()).as("%s", call).isBetween(200, 499);
                if (!OWN_LIFE.contains(call.route().name())) {
                    softly.assertThat(leaks(call, answer, secrets)).as("%s shows", call).isEmpty();
                }
            });
            softly.assertAll();

            Map<Call, String> untouched = answers(one, reachable.keySet());
            reachable.forEach((call, answer) ->
                    softly.assertThat(untouched.get(call))
                            .as("%s of the first tenant, after the other's calls", call)
                            .isEqualTo(answer));
            softly.assertAll();

            // What was refused to the other tenant was refused for being another's: its owner may.
            for (ServedRoute route : inOrderOfDamage(routes)) {
                Call allowed = firstAllowed(one, route, crossing);
                softly.assertThat(allowed)
                        .as("an id of the first tenant with which it may %s", route.name())
                        .isNotNull();
                if (allowed != null && (allowed.id().isEmpty() || secrets.contains(allowed.id()))) {
                    softly.assertThat(crossed.get(allowed).status())
                            .as("%s by the other tenant", allowed)
                            .matches(status -> status == 404 || makesTheCallersOwn(route, status));
                }
            }
            softly.assertAll();
        }
    }

    /** Routes that make or forget a thing of the caller's own under an id of the caller's choosing. */
    private static boolean makesTheCallersOwn(ServedRoute route, int status) {
        return (status == 200 || status == 201 || status == 202)
                && Set.of("PUT /api/v1/fans/{id}", "DELETE /api/v1/users/{id}")
                        .contains(route.name());
    }

    private static MeshClient tenant(MeshUnderTest mesh, MeshClient platform, String id) {
        platform.post("/api/v1/admin/tenants", Map.of("id", id, "name", id)).required("a tenant");
        String key =
                platform.post(
                                "/api/v1/admin/keys",
                                Map.of(
                                        "tenant_id",
                                        id,
                                        "name",
                                        "crossing",
                                        "scopes",
                                        SCOPES,
                                        "rate_limit",
                                        0))
                        .required("a key")
                        .body()
                        .path("key")
                        .asString("");
        return new MeshClient(mesh.url(), key);
    }

    // --- the first tenant's things
    // ---------------------------------------------------------------------------------------

    private void fill(MeshUnderTest mesh, MeshClient one, Names names) throws Exception {
        List<Map<String, Object>> events = new ArrayList<>();
        for (int user = 0; user < USERS; user++) {
            for (int day = 0; day < DAYS; day++) {
                if (day % (user % 2 == 0 ? 1 : 4) == 0) {
                    events.add(event(user, day));
                }
            }
        }
        events.add(ofVisitor("seen", "page_view", null));
        events.add(ofVisitor("identified", "identify", MARK + "-user-0"));
        one.post("/api/v1/events/batch", Map.of("events", events)).required("events");
        one.post(
                "/api/v1/events/batch",
                Map.of(
                        "events",
                        List.of(
                                Map.of(
                                        "event_id",
                                        MARK + "-rejected",
                                        "user_id",
                                        MARK + "-user-0",
                                        "event_type",
                                        "purchase",
                                        "payload",
                                        Map.of("amount", MARK)))));
        one.post(
                        "/api/v1/industry40/iot/ingest",
                        Map.of("readings", List.of(reading(0), reading(60), reading(120))))
                .required("readings");
        names.ids().add(MARK + "-user-0");
        names.ids().add(MARK + "-event-0-0");
        names.ids().add("crossing-one");
        names.ids().add(MARK + "-press");
        names.ids().add(MARK + "-rejected");
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(
                                        one.get("/api/v1/features/" + MARK + "-user-" + (USERS - 1))
                                                .status())
                                .isEqualTo(200));

        String identities = "/api/v1/users/" + MARK + "-user-0/identities";
        await().atMost(SOON)
                .until(() -> !one.get(identities).body().path("merges").path(0).isMissingNode());
        String merge =
                one.get(identities).body().path("merges").path(0).path("merge_id").asString("");
        names.paths().add(identities + "/" + merge + "/undo");

        made(one, names, "/api/v1/fans", Map.of("id", MARK + "-fan", "name", MARK));
        Map<String, Object> rule = new HashMap<>();
        rule.put("type", MARK);
        rule.put("threshold", Map.of("metric", "ticket.sla_breached", "value", 3, "window", "15m"));
        made(one, names, "/api/v1/alerts/rules", rule);
        made(
                one,
                names,
                "/api/v1/alerts",
                Map.of("type", MARK, "metric", "ticket.sla_breached", "value", 9));
        made(
                one,
                names,
                "/api/v1/admin/users",
                Map.of("email", MARK + "@example.com", "roles", List.of("viewer")));
        made(
                one,
                names,
                "/api/v1/admin/keys",
                Map.of("name", MARK, "scopes", List.of("analytics.view")));
        made(
                one,
                names,
                "/api/v1/analytics/funnel",
                Map.of(
                        "funnel_name",
                        MARK,
                        "window",
                        "P14D",
                        "steps",
                        List.of(
                                Map.of(
                                        "name",
                                        MARK,
                                        "condition_type",
                                        "page_view",
                                        "condition_value",
                                        "/" + MARK))));
        List<String> jobs = new ArrayList<>();
        jobs.add(imported(mesh, one));
        jobs.add(checked(mesh, one, names));
        jobs.add(job(one, "/api/v1/kpis/cluster", Map.of("k", 2, "seed", 1)));
        jobs.add(trained(one));
        jobs.add(
                job(
                        one,
                        "/api/v1/features/training-sets",
                        Map.of(
                                "as_of",
                                List.of(start.plus(6, ChronoUnit.DAYS).toString()),
                                "label",
                                Map.of("type", "inactivity", "horizon", "P1D"))));
        for (String job : jobs) {
            assertThat(ended(one, job)).as("%s", one.job(job)).isEqualTo("completed");
            names.ids().add(job);
            names.learn(one.job(job));
        }
        made(
                one,
                names,
                "/api/v1/predict",
                Map.of("model", "churn", "customer_id", MARK + "-user-0"));
    }

    /** A training that found history enough: churn may not have read all features yet. */
    private static String trained(MeshClient one) {
        return await().atMost(SOON)
                .pollInterval(Duration.ofSeconds(1))
                .until(
                        () ->
                                job(
                                        one,
                                        "/api/v1/models/churn/train",
                                        Map.of("label", "inactivity", "horizon", "P1D")),
                        job -> ended(one, job).equals("completed"));
    }

    private static String ended(MeshClient one, String job) {
        return await().atMost(SOON)
                .until(
                        () -> one.job(job).path("status").asString(""),
                        status -> !Set.of("pending", "running").contains(status));
    }

    private Map<String, Object> event(int user, int day) {
        Map<String, Object> event = new HashMap<>();
        event.put("event_id", "%s-event-%d-%d".formatted(MARK, user, day));
        event.put("user_id", MARK + "-user-" + user);
        event.put("session_id", "%s-session-%d-%d".formatted(MARK, user, day));
        event.put("timestamp", start.plus(day, ChronoUnit.DAYS).plusSeconds(user).toString());
        if (day % 2 == 0) {
            event.put("event_type", "page_view");
            event.put("payload", Map.of("url", "/" + MARK, "title", MARK));
        } else {
            event.put("event_type", "purchase");
            event.put(
                    "payload",
                    Map.of("amount", "7." + (10 + user), "currency", "USD", "note", MARK));
        }
        return event;
    }

    private Map<String, Object> ofVisitor(String id, String type, @Nullable String user) {
        Map<String, Object> event = new HashMap<>();
        event.put("event_id", MARK + "-" + id);
        event.put("anonymous_id", MARK + "-visitor");
        event.put("timestamp", start.toString());
        event.put("event_type", type);
        event.put("payload", user == null ? Map.of("url", "/" + MARK) : Map.of());
        if (user != null) {
            event.put("user_id", user);
        }
        return event;
    }

    private Map<String, Object> reading(int second) {
        return Map.of(
                "device_id",
                MARK + "-press",
                "device_type",
                MARK,
                "timestamp",
                start.plusSeconds(second).toString(),
                "metrics",
                Map.of("running", 1, "produced", 5, "good", 4));
    }

    private static void made(MeshClient one, Names names, String path, Object body) {
        names.learn(one.post(path, body).required("POST " + path).body());
    }

    private static String job(MeshClient one, String path, Object body) {
        return one.post(path, body).required("POST " + path).body().path("job_id").asString("");
    }

    /** An import whose second line is refused, so that it leaves a report to download. */
    private static String imported(MeshUnderTest mesh, MeshClient one)
            throws IOException, InterruptedException {
        return uploaded(
                        mesh,
                        one,
                        "/api/v1/events/import",
                        "who,sum\n%1$s-user-0,3.00\n%1$s-user-1,%1$s\n".formatted(MARK),
                        "mapping",
                        """
                        {"event_type": "purchase", "user_id": "who", "data": {"amount": "sum", "currency": "=USD"}}\
                        """)
                .headers()
                .firstValue("location")
                .orElseThrow()
                .replace("/api/v1/jobs/", "");
    }

    /** A source, and the job of a run that checks it. */
    private static String checked(MeshUnderTest mesh, MeshClient one, Names names)
            throws IOException, InterruptedException {
        uploaded(
                mesh,
                one,
                "/api/v1/etl/sources",
                "who,sum\n%1$s-user-0,3.00\n".formatted(MARK),
                "name",
                MARK + "-source");
        names.ids().add(MARK + "-source");
        names.ids().add(MARK + "-run");
        one.post(
                        "/api/v1/etl/schedules",
                        Map.of(
                                "name",
                                MARK + "-source",
                                "cron",
                                "0 0 1 1 *",
                                "mode",
                                "batch",
                                "source",
                                MARK + "-source"))
                .required("next_at");
        return job(
                one,
                "/api/v1/etl/runs",
                Map.of(
                        "mode",
                        "validate_only",
                        "source",
                        MARK + "-source",
                        "execution_id",
                        MARK + "-run"));
    }

    private static HttpResponse<String> uploaded(
            MeshUnderTest mesh,
            MeshClient one,
            String path,
            String file,
            String field,
            String value)
            throws IOException, InterruptedException {
        String boundary = "----" + MARK;
        String body =
                """
                --%1$s\r
                Content-Disposition: form-data; name="file"; filename="%2$s.csv"\r
                Content-Type: text/csv\r
                \r
                %3$s\r
                --%1$s\r
                Content-Disposition: form-data; name="%4$s"\r
                \r
                %5$s\r
                --%1$s--\r
                """
                        .formatted(boundary, MARK, file, field, value);
        try (HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            HttpResponse<String> answer =
                    http.send(
                            HttpRequest.newBuilder(URI.create(mesh.url() + path))
                                    .header("x-api-key", one.key())
                                    .header(
                                            "content-type",
                                            "multipart/form-data; boundary=" + boundary)
                                    .POST(HttpRequest.BodyPublishers.ofString(body))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isBetween(200, 299);
            return answer;
        }
    }

    // --- calls
    // -----------------------------------------------------------------------------------------------------------

    /** Every route with every id in its path; those without a variable once, and once per other place and id. */
    private static List<Call> calls(List<ServedRoute> routes, Names names) {
        List<Call> calls = new ArrayList<>();
        for (ServedRoute route : routes) {
            if (route.variables().size() == 1) {
                names.ids()
                        .forEach(id ->
                                calls.add(
                                        new Call(
                                                route,
                                                route.filled(Set.of(id), Set.of()).getFirst(),
                                                null,
                                                id)));
                continue;
            }
            route.filled(names.ids(), names.paths())
                    .forEach(path -> calls.add(new Call(route, path, null, "")));
            if (route.variables().isEmpty()) {
                for (String place : route.otherPlacesOfIds()) {
                    names.ids().forEach(id -> calls.add(new Call(route, route.path(), place, id)));
                }
            }
        }
        return calls;
    }

    /** The answer, once nothing was too busy to give one. */
    private Answer call(MeshClient client, Call call) {
        Answer first = call.route().call(client, call.path(), values, call.place(), call.id());
        return first.transientFailure()
                ? await().atMost(SOON)
                        .until(
                                () ->
                                        call.route()
                                                .call(
                                                        client,
                                                        call.path(),
                                                        values,
                                                        call.place(),
                                                        call.id()),
                                answer -> !answer.transientFailure())
                : first;
    }

    private Map<Call, Answer> all(MeshClient client, Iterable<Call> calls)
            throws InterruptedException {
        Map<Call, Future<Answer>> asked = new HashMap<>();
        try (var workers = Executors.newFixedThreadPool(8)) {
            for (Call call : calls) {
                Callable<Answer> ask = () -> call(client, call);
                asked.put(call, workers.submit(ask));
            }
        }
        Map<Call, Answer> answers = new TreeMap<>(Comparator.comparing(Call::toString));
        for (var entry : asked.entrySet()) {
            try {
                answers.put(entry.getKey(), entry.getValue().get());
            } catch (ExecutionException e) {
                throw new AssertionError("no answer to " + entry.getKey(), e.getCause());
            }
        }
        return answers;
    }

    /** What reads answer, without what changes by itself; those that are refused left out. */
    private Map<Call, String> answers(MeshClient client, Iterable<Call> calls)
            throws InterruptedException {
        Map<Call, String> texts = new TreeMap<>(Comparator.comparing(Call::toString));
        all(client, calls)
                .forEach((call, answer) -> {
                    if (answer.ok() && !OWN_LIFE.contains(call.route().name())) {
                        texts.put(
                                call,
                                answer.body().isMissingNode()
                                        ? answer.text()
                                        : steady(answer.body()).toString());
                    }
                });
        return texts;
    }

    private static JsonNode steady(JsonNode node) {
        if (node instanceof ObjectNode object) {
            ObjectNode copy = object.deepCopy();
            copy.remove(VOLATILE);
            List.copyOf(copy.propertyNames())
                    .forEach(name -> copy.set(name, steady(copy.get(name))));
            return copy;
        }
        if (node instanceof ArrayNode array) {
            ArrayNode copy = array.arrayNode();
            array.forEach(item -> copy.add(steady(item)));
            return copy;
        }
        return node;
    }

    private void learnFrom(MeshClient one, List<ServedRoute> lists, Names names)
            throws InterruptedException {
        Map<Call, Answer> answers = all(one, calls(lists, new Names()));
        answers.forEach((call, answer) -> {
            if (!call.route().name().equals("GET /api/v1/admin/audit")) {
                names.learn(answer.body());
            }
        });
    }

    /** What the first tenant can read of its own, once two looks see the same. */
    private Map<Call, String> settled(MeshClient one, List<ServedRoute> routes, Names names) {
        List<ServedRoute> reads = routes.stream().filter(ServedRoute::reads).toList();
        List<Map<Call, String>> looks = new ArrayList<>();
        await().atMost(SOON)
                .pollInterval(Duration.ofSeconds(1))
                .until(() -> {
                    Set<Call> open =
                            looks.isEmpty()
                                    ? Set.copyOf(calls(reads, names))
                                    : looks.getLast().keySet();
                    looks.add(answers(one, open));
                    int count = looks.size();
                    return count > 1 && looks.get(count - 1).equals(looks.get(count - 2));
                });
        return looks.getLast();
    }

    private static List<String> leaks(Call call, Answer answer, Set<String> secrets) {
        List<String> found = new ArrayList<>();
        // Ids that the call itself gave may come back.
        String text = answer.text();
        if (!call.id().isEmpty()) {
            text = text.replace(call.id(), "");
        }
        text = text.replace(call.path(), "");
        for (String piece : call.path().split("/")) {
            if (piece.length() >= 8) {
                text = text.replace(piece, "");
            }
        }
        if (text.contains(MARK)) {
            found.add(MARK);
        }
        for (String secret : secrets) {
            if (text.contains(secret)) {
                found.add(secret);
            }
        }
        return found;
    }

    /** Routes that change something at an id: deletions last. */
    private static List<ServedRoute> inOrderOfDamage(List<ServedRoute> routes) {
        return routes.stream()
                .filter(route -> !route.reads() && !route.variables().isEmpty())
                .filter(route -> route.variables().stream().anyMatch(TenantCrossingIT::isId))
                .sorted(Comparator.comparing(route -> route.method().equals("DELETE")))
                .toList();
    }

    private static boolean isId(String variable) {
        return variable.toLowerCase(java.util.Locale.ROOT).endsWith("id");
    }

    /** Tries a route with every id until one is known to it; null when none is. */
    private @Nullable Call firstAllowed(MeshClient one, ServedRoute route, List<Call> calls) {
        for (Call call : calls) {
            if (call.route().equals(route) && !one.key().contains("_" + call.id() + "_")) {
                int status = call(one, call).status();
                if (status < 300 || status == 409 || status == 422) {
                    return call;
                }
            }
        }
        return null;
    }
}
