package io.mirante.gateway;

import io.mirante.gateway.routing.Service;
import java.net.URI;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What the gateway is told.
 *
 * @param apiKeys keys of the first tenant, with all scopes; blank ones are left out
 * @param bootstrapTenant the first tenant's id
 * @param services where each service is
 * @param timeout after which a route with a time limit is answered 504; more than zero
 * @param maxBodyBytes largest body of a route with a body limit, 1 KiB or more
 */
@ConfigurationProperties("mirante.gateway")
public record GatewaySettings(
        @DefaultValue List<String> apiKeys,
        @DefaultValue("demo") String bootstrapTenant,
        Map<Service, Target> services,
        @DefaultValue("10s") Duration timeout,
        @DefaultValue("8388608") long maxBodyBytes) {

    public GatewaySettings {
        apiKeys = apiKeys.stream().map(String::strip).filter(key -> !key.isEmpty()).toList();
        if (!bootstrapTenant.matches("[A-Za-z0-9_-]{1,64}")) {
            throw new IllegalArgumentException(
                    "mirante.gateway.bootstrap-tenant (MIRANTE_BOOTSTRAP_TENANT) must be 1 to 64"
                            + " letters, digits, - and _, was "
                            + bootstrapTenant);
        }
        services = services.isEmpty() ? Map.of() : new EnumMap<>(services);
        for (var service : Service.values()) {
            if (service != Service.GATEWAY && !services.containsKey(service)) {
                throw new IllegalArgumentException(
                        "mirante.gateway.services.%s.url (%s_URL) is missing"
                                .formatted(service.id(), service.name()));
            }
        }
        if (!(timeout.isPositive())) {
            throw new IllegalArgumentException(
                    "mirante.gateway.timeout must be more than zero, was " + timeout);
        }
        if (!(maxBodyBytes >= 1024)) {
            throw new IllegalArgumentException(
                    "mirante.gateway.max-body-bytes must be 1024 or more, was " + maxBodyBytes);
        }
    }

    /**
     * One service.
     *
     * @param url of its REST API
     * @param managementUrl of its actuator
     */
    public record Target(URI url, URI managementUrl) {
        public Target {
            requireHttp("url", url);
            requireHttp("management-url", managementUrl);
        }

        private static void requireHttp(String name, URI url) {
            if (!(("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
                    && url.getHost() != null)) {
                throw new IllegalArgumentException(
                        "a service's %s must look like http://host:port, was %s"
                                .formatted(name, url));
            }
        }
    }
}
