package io.mirante.platform.jobs;

import io.mirante.platform.persistence.PersistenceAutoConfiguration;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantDatabase;
import java.nio.file.Path;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.context.annotation.Bean;

/** Jobs for every service that has a database. */
@AutoConfiguration(after = PersistenceAutoConfiguration.class)
@ConditionalOnBean(TenantDatabase.class)
public class JobsAutoConfiguration {

    @Bean
    Jobs jobs(
            @Value("${mirante.database.schema}") String service,
            TenantDatabase tenants,
            StreamDatabase stream) {
        return new Jobs(service, tenants, stream);
    }

    @Bean
    JobRunner jobRunner(
            Jobs jobs,
            ObjectProvider<JobHandler> handlers,
            @Value("${mirante.instance}") String instance,
            @Value("${mirante.files}") Path files) {
        return new JobRunner(
                jobs, handlers.orderedStream().toList(), instance, files.resolve("jobs"));
    }

    @Bean
    JobController jobController(Jobs jobs, @Value("${mirante.files}") Path files) {
        return new JobController(jobs, files.resolve("jobs").toAbsolutePath().normalize());
    }
}
