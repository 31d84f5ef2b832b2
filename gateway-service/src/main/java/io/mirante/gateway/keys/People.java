package io.mirante.gateway.keys;

import reactor.core.publisher.Mono;

/** Whom a person's token stands for. Thread-safe. */
public interface People {

    /**
     * Checks signature, issuer, audience and times of a token.
     *
     * @return who the issuer says it is; empty when the token is not good, an error when that cannot be known now
     */
    Mono<Claimed> verify(String token);

    /** The person's tenant, scopes and org units; empty when no tenant has let the person in. */
    Mono<Principal> find(Claimed claimed);

    /**
     * Who the issuer says it is.
     *
     * @param subject the issuer's id of the person
     * @param email lower case; empty unless the issuer has verified it
     */
    record Claimed(String subject, String email) {}
}
