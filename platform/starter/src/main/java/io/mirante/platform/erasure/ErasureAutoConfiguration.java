package io.mirante.platform.erasure;

import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.EventSender;
import io.mirante.platform.messaging.MessagingAutoConfiguration;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.Publication;
import io.mirante.platform.persistence.StreamDatabase;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.context.annotation.Bean;
import org.springframework.messaging.Message;

/** The function {@code erasePersons} of every service that holds persons, and what finishes its work. */
@AutoConfiguration(after = MessagingAutoConfiguration.class)
@ConditionalOnBean(ErasePerson.class)
public class ErasureAutoConfiguration {

    @Bean
    ErasePersons erasureOfPersons(
            @Value("${mirante.database.schema}") String service,
            ErasePerson eraser,
            Erasures erasures,
            EventSender sender,
            Clock clock) {
        return new ErasePersons(service, eraser, erasures, sender, clock);
    }

    @Bean
    FinishErasures finishErasures(
            ErasePerson eraser,
            StreamDatabase stream,
            @Value("${mirante.files}") Path files,
            @Value("${mirante.instance}") String instance) {
        return new FinishErasures(eraser, stream, new JobFiles(files.resolve("jobs")), instance);
    }

    @Bean
    Consumer<Message<List<byte[]>>> erasePersons(BatchRunner runner, ErasePersons handler) {
        return runner.storing("erasePersons", Parser.json(PersonErasure.class), handler::store);
    }

    @Bean
    Publication personErasurePublication(ErasePersons handler) {
        return new Publication(
                "person_erasure",
                List.of("tenant_id", "user_hash"),
                """
                SELECT tenant_id, user_hash, erasure_id, erased_at, removed::text AS removed, person_nos, revision,
                    user_id IS NOT NULL AS unfinished
                FROM person_erasure WHERE revision > published_revision
                ORDER BY tenant_id, user_hash LIMIT 1000\
                """,
                handler::message);
    }
}
