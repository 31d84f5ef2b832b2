package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.bench.client.MeshClient;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import tools.jackson.databind.json.JsonMapper;

/** Sends a file of events, as a form does. */
final class FileImport {

    private FileImport() {}

    /**
     * Begins an import.
     *
     * @param name of the file, whose ending tells its format
     * @return the job's id
     */
    static String begin(MeshClient client, String name, String lines)
            throws IOException, InterruptedException {
        String form =
                """
                --mirante\r
                content-disposition: form-data; name="file"; filename="%s"\r
                content-type: application/octet-stream\r
                \r
                %s\r
                --mirante--\r
                """
                        .formatted(name, lines);
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    http.send(
                            HttpRequest.newBuilder(client.base().resolve("/api/v1/events/import"))
                                    .version(HttpClient.Version.HTTP_1_1)
                                    .header("x-api-key", client.key())
                                    .header("content-type", "multipart/form-data; boundary=mirante")
                                    .POST(HttpRequest.BodyPublishers.ofString(form))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
            return JsonMapper.shared().readTree(answer.body()).path("job_id").asString("");
        }
    }
}
