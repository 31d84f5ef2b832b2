package io.mirante.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.RSAPrivateKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

final class SecretsTest {
    @TempDir Path folder;

    private Home home;

    @BeforeEach
    void makeHome() {
        home = new Home(folder.resolve("home"));
        home.prepare();
    }

    @Test
    void staysTheSame() throws Exception {
        Secrets first = Secrets.of(home);
        String key = Files.readString(first.signingKey(ServiceName.GATEWAY));
        Secrets second = Secrets.of(home);
        assertThat(second.ownerPassword()).isEqualTo(first.ownerPassword());
        assertThat(Files.readString(second.signingKey(ServiceName.GATEWAY))).isEqualTo(key);
        assertThat(first.appPassword(ServiceName.ETL))
                .isNotEqualTo(first.streamPassword(ServiceName.ETL));
    }

    /** Of a folder from before a service signed: whoever runs keeps the key that the others know. */
    @Test
    void oneMoreSignerLeavesTheOthersTheirKeys() throws Exception {
        Secrets secrets = Secrets.of(home);
        String gateway = Files.readString(secrets.signingKey(ServiceName.GATEWAY));
        List<String> before = keyIds(secrets);
        Files.delete(secrets.signingKey(ServiceName.SEGMENTATION));

        Secrets again = Secrets.of(home);
        assertThat(again.signingKey(ServiceName.GATEWAY)).hasContent(gateway);
        assertThat(again.signingKey(ServiceName.SEGMENTATION)).exists();
        assertThat(keyIds(again))
                .hasSize(before.size())
                .filteredOn(before::contains)
                .hasSize(before.size() - 1);

        List<String> known = keyIds(again);
        Files.delete(again.publicKeys());
        assertThat(keyIds(Secrets.of(home))).isEqualTo(known);
    }

    @Test
    void refusesASigningKeyThatIsNoneWithTheRemedy() throws Exception {
        Path key = Secrets.of(home).signingKey(ServiceName.CHURN);
        for (String damaged : List.of("", "{", "[]", "{\"kty\":\"RSA\"}")) {
            Files.writeString(key, damaged);
            assertThatThrownBy(() -> Secrets.of(home))
                    .isInstanceOf(MeshException.class)
                    .hasMessage(
                            key
                                    + " is no signing key: remove it, and the next start makes another");
        }
    }

    @Test
    void keepsAMasterKeyOf32RandomBytes() throws Exception {
        String first = Files.readString(Secrets.of(home).masterKey());
        assertThat(Base64.getDecoder().decode(first.strip())).hasSize(32);
        assertThat(Secrets.of(home).masterKey()).hasContent(first);

        var other = new Home(folder.resolve("other"));
        other.prepare();
        assertThat(Files.readString(Secrets.of(other).masterKey())).isNotEqualTo(first);
    }

    @Test
    void isReadableByTheOwnerAlone() throws Exception {
        Secrets.of(home);
        try (var files = Files.newDirectoryStream(home.keys())) {
            for (Path file : files) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                        .as("%s", file)
                        .isEqualTo("rw-------");
            }
        }
    }

    @Test
    void publishesTheKeysThatVerifyWhatIsSigned() throws Exception {
        Secrets secrets = Secrets.of(home);
        JsonNode set = Json.mapper().readTree(Files.readString(secrets.publicKeys())).get("keys");
        assertThat(set).hasSize(4);
        for (JsonNode each : set) {
            assertThat(each.get("d")).isNull();
        }
        JsonNode key =
                Json.mapper().readTree(Files.readString(secrets.signingKey(ServiceName.GATEWAY)));
        var kid = key.get("kid").asString();
        assertThat(kid).startsWith("gateway-");
        var published =
                set.valueStream()
                        .filter(other -> other.get("kid").asString().equals(kid))
                        .findFirst()
                        .orElseThrow();

        var factory = KeyFactory.getInstance("RSA");
        var signature = Signature.getInstance("SHA256withRSA");
        signature.initSign(
                factory.generatePrivate(new RSAPrivateKeySpec(number(key, "n"), number(key, "d"))));
        signature.update(new byte[] {1, 2, 3});
        byte[] signed = signature.sign();
        signature.initVerify(
                factory.generatePublic(
                        new RSAPublicKeySpec(number(published, "n"), number(published, "e"))));
        signature.update(new byte[] {1, 2, 3});
        assertThat(signature.verify(signed)).isTrue();
    }

    private static List<String> keyIds(Secrets secrets) throws IOException {
        return Json.mapper()
                .readTree(Files.readString(secrets.publicKeys()))
                .get("keys")
                .valueStream()
                .map(key -> key.get("kid").asString())
                .toList();
    }

    private static BigInteger number(JsonNode key, String field) {
        return new BigInteger(1, Base64.getUrlDecoder().decode(key.get(field).asString()));
    }
}
