package io.mirante.platform.audit;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.platform.messaging.EventSender;
import io.mirante.platform.messaging.MessagingAutoConfiguration;
import java.time.Clock;
import org.apache.kafka.clients.producer.Producer;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.context.annotation.Bean;

/** The audit trail of every service that has Kafka. */
@AutoConfiguration(after = MessagingAutoConfiguration.class)
@ConditionalOnBean(name = "platformProducer")
public class AuditAutoConfiguration {

    @Bean
    AuditTrail auditTrail(
            @Qualifier("platformProducer") Producer<byte[], byte[]> producer,
            MeterRegistry meters) {
        return new AuditTrail(new EventSender(producer), meters);
    }

    @Bean
    AuditFilter auditFilter(
            AuditTrail trail, @Value("${mirante.database.schema}") String service, Clock clock) {
        return new AuditFilter(trail::record, service, clock);
    }
}
