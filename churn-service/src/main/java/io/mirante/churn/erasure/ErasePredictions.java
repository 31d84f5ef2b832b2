package io.mirante.churn.erasure;

import io.mirante.contracts.Topics;
import io.mirante.platform.erasure.ErasePerson;
import io.mirante.platform.erasure.PersonRows;
import java.util.List;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Forgets a person's features, score and predictions. Models stay: they hold sums over many persons, and no ids. */
@Component
final class ErasePredictions implements ErasePerson {

    private static final List<String> OF_USER = List.of("feature_vector", "user_prediction");

    @Override
    public List<String> userColumns() {
        return List.of(
                "feature_vector.user_id", "user_prediction.user_id", "prediction.customer_id");
    }

    @Override
    public Mono<Erased> erase(Target person, DatabaseClient db) {
        return PersonRows.holdPublication(db, List.of("user_prediction"))
                .then(PersonRows.delete(person, db, "user_id", OF_USER))
                .zipWhen(
                        rows -> PersonRows.delete(person, db, "customer_id", List.of("prediction")),
                        Erased::and)
                .map(rows -> rows.and(PersonRows.tombstone(person, Topics.PREDICTIONS)));
    }
}
