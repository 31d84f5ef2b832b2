package io.mirante.platform.messaging;

import java.util.List;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.kafka.config.KafkaListenerConfigUtils;

/**
 * Leaves out what libraries bring to look at every bean for annotations that no service uses ({@code @KafkaListener},
 * {@code @JacksonComponent}): a tenth of what the main thread of a service does until it is ready. Consumers are functions, bound
 * by name.
 */
final class UnusedProcessors implements BeanDefinitionRegistryPostProcessor {

    static final List<String> NAMES =
            List.of(
                    KafkaListenerConfigUtils.KAFKA_LISTENER_ANNOTATION_PROCESSOR_BEAN_NAME,
                    "jsonComponentModule");

    @Override
    public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
        NAMES.stream()
                .filter(registry::containsBeanDefinition)
                .forEach(registry::removeBeanDefinition);
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {}
}
