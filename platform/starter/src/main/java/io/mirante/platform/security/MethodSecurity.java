package io.mirante.platform.security;

import java.lang.reflect.Method;
import org.springframework.aop.config.AopConfigUtils;
import org.springframework.aop.support.StaticMethodMatcherPointcut;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.context.annotation.Role;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.type.AnnotationMetadata;
import org.springframework.security.access.expression.method.DefaultMethodSecurityExpressionHandler;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authorization.method.AuthorizationManagerBeforeReactiveMethodInterceptor;
import org.springframework.security.authorization.method.PreAuthorizeReactiveAuthorizationManager;

/**
 * {@code @PreAuthorize} on methods and classes of Mirante, and nothing else of method security. {@code
 * @EnableReactiveMethodSecurity} looks for four annotations on every method of every bean, which took a sixth of the main thread's
 * time while a service started.
 */
@Configuration(proxyBeanMethods = false)
@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
@Import(MethodSecurity.Proxies.class)
final class MethodSecurity {

    private static final String OWN = "io.mirante.";

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static AuthorizationManagerBeforeReactiveMethodInterceptor preAuthorize() {
        return new AuthorizationManagerBeforeReactiveMethodInterceptor(
                new Protected(),
                new PreAuthorizeReactiveAuthorizationManager(
                        new DefaultMethodSecurityExpressionHandler()));
    }

    private static final class Protected extends StaticMethodMatcherPointcut {

        Protected() {
            setClassFilter(type -> type.getName().startsWith(OWN));
        }

        @Override
        public boolean matches(Method method, Class<?> type) {
            return AnnotatedElementUtils.hasAnnotation(method, PreAuthorize.class)
                    || AnnotatedElementUtils.hasAnnotation(type, PreAuthorize.class);
        }
    }

    /** Beans that are to be protected are proxied by a subclass, as Spring Boot does. */
    static final class Proxies implements ImportBeanDefinitionRegistrar {

        @Override
        public void registerBeanDefinitions(
                AnnotationMetadata importing, BeanDefinitionRegistry registry) {
            AopConfigUtils.registerAutoProxyCreatorIfNecessary(registry);
            AopConfigUtils.forceAutoProxyCreatorToUseClassProxying(registry);
        }
    }
}
