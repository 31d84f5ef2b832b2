package io.mirante.ingestion.imports;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The payload of an import's job.
 *
 * @param upload name of the stored upload
 * @param file name of the file as the client gave it
 * @param source what the ids of lines without one are made of, with the line; travels as {@code /import/<source>}
 * @param bytes size of the upload, as it came
 * @param mapping as the client gave it, already found valid; null for none
 */
record ImportOrder(
        String upload, String file, String source, long bytes, @Nullable JsonNode mapping) {}
