package io.mirante.alert.alerting;

import io.mirante.alert.webhook.Recipient;
import io.mirante.alert.webhook.Signature;
import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.outbound.RefusedAddressException;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** A recipient as a caller writes it. */
record RecipientForm(@Nullable String kind, @Nullable String url, @Nullable String secret) {

    static final int MAX = 10;

    private static final Set<String> LATER =
            Set.of("email", "slack", "internal_chat", "automation");
    private static final Duration LOOKUP = Duration.ofSeconds(2);

    /** Checks the form, adding what is wrong to the errors; 422 for a kind that comes later. */
    static List<Recipient.Draft> check(
            @Nullable List<@Nullable RecipientForm> forms, List<FieldError> errors) {
        var drafts = new ArrayList<Recipient.Draft>();
        var urls = new HashSet<String>();
        var all = Objects.requireNonNullElse(forms, List.<RecipientForm>of());
        if (all.size() > MAX) {
            errors.add(
                    new FieldError(
                            "/recipients",
                            "too_many",
                            "recipients must be at most " + MAX + ", were " + all.size()));
            return drafts;
        }
        for (int i = 0; i < all.size(); i++) {
            var at = "/recipients/" + i;
            var form = all.get(i);
            if (form == null) {
                errors.add(new FieldError(at, "required", "a recipient must be an object"));
                continue;
            }
            var problem = form.problem(at, urls);
            if (problem == null) {
                drafts.add(new Recipient.Draft(Objects.requireNonNull(form.url()), form.secret()));
            } else {
                errors.add(problem);
            }
        }
        return drafts;
    }

    private @Nullable FieldError problem(String at, Set<String> urls) {
        if (kind == null) {
            return new FieldError(
                    at + "/kind", "required", "kind must be given; webhook is offered");
        }
        if (LATER.contains(kind)) {
            throw ProblemException.impossible(
                    "recipient-not-offered",
                    at + "/kind " + kind + " is not offered yet; webhook is");
        }
        if (!kind.equals("webhook")) {
            return new FieldError(
                    at + "/kind",
                    "unknown",
                    "kind must be webhook; email, slack, internal_chat and automation come later");
        }
        if (url == null) {
            return new FieldError(at + "/url", "required", "url must be given");
        }
        try {
            var unused = Destinations.parse(url);
        } catch (IllegalArgumentException e) {
            return new FieldError(at + "/url", "invalid", String.valueOf(e.getMessage()));
        }
        if (!urls.add(url)) {
            return new FieldError(at + "/url", "duplicate", "url is there twice");
        }
        if (secret != null && !Signature.isSecret(secret)) {
            return new FieldError(
                    at + "/secret",
                    "invalid",
                    "secret must be whsec_ and the Base64 of 24 to 64 bytes");
        }
        return null;
    }

    /**
     * 422 when a host is known to lead to an address that may not be reached. A name that cannot be looked up now passes:
     * the address is checked again at every connect.
     */
    static Mono<Void> reachable(List<Recipient.Draft> drafts, Destinations destinations) {
        return Flux.fromIterable(drafts)
                .index()
                .flatMap(indexed ->
                        lookUp(indexed.getT2().url(), destinations)
                                .onErrorMap(
                                        RefusedAddressException.class,
                                        e ->
                                                ProblemException.impossible(
                                                        "address-not-allowed",
                                                        "/recipients/%d/url: %s"
                                                                .formatted(
                                                                        indexed.getT1(),
                                                                        e.getMessage()))))
                .then();
    }

    private static Mono<Void> lookUp(String url, Destinations destinations) {
        return Mono.fromCallable(
                        () -> destinations.resolve(Destinations.hostOf(Destinations.parse(url))))
                .subscribeOn(Schedulers.boundedElastic())
                .timeout(LOOKUP, Mono.empty())
                .onErrorResume(
                        e ->
                                e instanceof UnknownHostException
                                        && !(e instanceof RefusedAddressException),
                        e -> Mono.empty())
                .then();
    }
}
