package io.mirante.ingestion.keys;

import io.mirante.platform.keys.MasterKeys;
import io.mirante.platform.keys.Seal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Where the master key comes from. */
@Configuration(proxyBeanMethods = false)
final class KeyConfiguration {

    private static final Logger LOG = LoggerFactory.getLogger(KeyConfiguration.class);

    @Bean
    MasterKeys masterKeys(
            @Value("${mirante.ingestion.master-key-file:}") String file,
            @Value("${mirante.files}") String files) {
        if (!file.isBlank()) {
            return MasterKeys.read(Path.of(file));
        }
        var own = Path.of(files, "master.key");
        makeIfMissing(own);
        LOG.warn(
                "MIRANTE_MASTER_KEY_FILE is not set; rejected originals are encrypted with this"
                        + " replica's own key in {}, which other replicas cannot read",
                own);
        return MasterKeys.read(own);
    }

    @Bean
    Seal seal(MasterKeys masterKeys) {
        return new Seal(masterKeys);
    }

    private static void makeIfMissing(Path file) {
        var key = new byte[MasterKeys.KEY_BYTES];
        new SecureRandom().nextBytes(key);
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            var unused =
                    Files.createFile(
                            file,
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rw-------")));
            Files.writeString(
                    file, Base64.getEncoder().encodeToString(key) + "\n", StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException e) {
            LOG.debug("the key of an earlier run is used");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
