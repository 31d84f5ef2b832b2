package io.mirante.testkit;

import io.mirante.platform.messaging.FaultPoint;
import io.mirante.platform.messaging.MessagingAutoConfiguration;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

/**
 * Makes a service under test halt as kill -9 would: {@code mirante.fault.halt=after-commit:3} halts the JVM the third
 * time that moment is reached, without a shutdown hook.
 */
@AutoConfiguration(before = MessagingAutoConfiguration.class)
@ConditionalOnProperty("mirante.fault.halt")
public class FaultPointAutoConfiguration {

    /** Exit code of a process killed with SIGKILL. */
    public static final int KILLED = 137;

    @Bean
    FaultPoint haltingFaultPoint(@Value("${mirante.fault.halt}") String halt) {
        int colon = halt.indexOf(':');
        var moment = halt.substring(0, colon);
        int times = Integer.parseInt(halt.substring(colon + 1));
        var reached = new AtomicInteger();
        return (at, consumer) -> {
            if (at.equals(moment) && reached.incrementAndGet() >= times) {
                Runtime.getRuntime().halt(KILLED);
            }
        };
    }
}
