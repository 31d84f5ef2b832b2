package io.mirante.ingestion.imports;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Limits of imports.
 *
 * @param maxFileSize largest upload, packed as it comes; 1 byte or more ({@code MAX_IMPORT_SIZE})
 * @param maxUnpackedSize how much a file may unpack to, so that a bomb keeps no worker busy for hours; 1 byte or more
 */
@ConfigurationProperties("mirante.ingestion.imports")
record ImportSettings(
        @DefaultValue("4GB") DataSize maxFileSize, @DefaultValue("64GB") DataSize maxUnpackedSize) {

    ImportSettings {
        if (!(maxFileSize.toBytes() >= 1)) {
            throw new IllegalArgumentException(
                    "mirante.ingestion.imports.max-file-size (MAX_IMPORT_SIZE) must be 1B or more, was "
                            + maxFileSize);
        }
        if (!(maxUnpackedSize.toBytes() >= 1)) {
            throw new IllegalArgumentException(
                    "mirante.ingestion.imports.max-unpacked-size must be 1B or more, was "
                            + maxUnpackedSize);
        }
    }
}
