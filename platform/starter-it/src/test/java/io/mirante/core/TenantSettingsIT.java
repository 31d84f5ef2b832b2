package io.mirante.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.platform.tenants.Tenants;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@MeshTest
class TenantSettingsIT {

    @Autowired Mesh mesh;
    @Autowired Tenants tenants;

    @Test
    void aServiceKnowsATenantsSettingsWithinFiveSecondsAndTheStartWaitedForThem() {
        assertThat(tenants.caughtUp()).isTrue();
        var tenant = mesh.newTenant();
        assertThat(tenants.settings(tenant).currency()).isEqualTo("USD");

        mesh.settings(tenant, "{\"currency\": \"BRL\", \"timezone\": \"America/Sao_Paulo\"}");
        assertThat(tenants.settings(tenant).currency()).isEqualTo("BRL");
        mesh.settings(tenant, "{\"currency\": null}");
        assertThat(tenants.settings(tenant).currency()).isEqualTo("USD");
        assertThat(tenants.settings(tenant).timezone()).isEqualTo("America/Sao_Paulo");
        assertThat(tenants.settings(tenant).revision()).isEqualTo(2);
    }
}
