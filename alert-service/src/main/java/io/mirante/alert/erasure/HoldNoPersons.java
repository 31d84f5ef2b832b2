package io.mirante.alert.erasure;

import io.mirante.platform.erasure.ErasePerson;
import java.util.List;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Rules, sums and alerts are about metrics; none of them names a person, so nothing is removed. */
@Component
final class HoldNoPersons implements ErasePerson {

    @Override
    public List<String> userColumns() {
        return List.of();
    }

    @Override
    public Mono<Erased> erase(Target person, DatabaseClient db) {
        return Mono.just(Erased.NOTHING);
    }
}
