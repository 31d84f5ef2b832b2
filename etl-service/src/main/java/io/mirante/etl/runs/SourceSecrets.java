package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.etl.EtlSettings;
import io.mirante.etl.remote.Credentials;
import io.mirante.platform.keys.MasterKeys;
import io.mirante.platform.keys.Seal;
import io.mirante.platform.web.ProblemException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Seals and opens the credentials of sources, by tenant and name. Thread-safe. */
@Component
final class SourceSecrets {

    private static final String NAME = "etl source ";

    private final @Nullable Seal seal;

    SourceSecrets(EtlSettings settings) {
        seal =
                settings.masterKeyFile().isBlank()
                        ? null
                        : new Seal(MasterKeys.read(Path.of(settings.masterKeyFile())));
    }

    /**
     * Seals them.
     *
     * @throws ProblemException 409 when there is no master key
     */
    String close(String tenant, String source, Credentials credentials) {
        if (seal == null) {
            throw ProblemException.conflict(
                    "no-master-key",
                    "credentials cannot be kept: etl-service has no master key; set MIRANTE_MASTER_KEY_FILE for it");
        }
        var text = Json.mapper().writeValueAsString(credentials).getBytes(StandardCharsets.UTF_8);
        return Base64.getEncoder()
                .encodeToString(seal.close(tenant, NAME + source, text, 0, text.length));
    }

    /** Opens them; empty when the master key is not there any more. */
    Optional<Credentials> open(String tenant, String source, String sealed) {
        if (seal == null) {
            return Optional.empty();
        }
        var text = seal.open(tenant, NAME + source, Base64.getDecoder().decode(sealed));
        return text == null
                ? Optional.empty()
                : Optional.of(Json.mapper().readValue(text, Credentials.class));
    }
}
