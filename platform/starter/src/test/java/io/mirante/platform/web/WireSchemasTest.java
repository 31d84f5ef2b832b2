package io.mirante.platform.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.swagger.v3.core.converter.AnnotatedType;
import io.swagger.v3.core.converter.ModelConverterContextImpl;
import io.swagger.v3.oas.models.media.Schema;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class WireSchemasTest {

    enum Colour {
        RED
    }

    record Part(String partName) {}

    record Answer(
            String userId,
            int count,
            @Nullable String lastSeen,
            @Nullable Part part,
            List<Part> allParts,
            JsonNode value,
            ObjectNode data,
            Map<String, JsonNode> metrics,
            @Nullable Colour colour,
            List<@Nullable Long> counts) {}

    record Wrapping(@JsonUnwrapped Answer answer, long revision) {}

    static final class OtherController {
        record Part(long size) {}

        private OtherController() {}
    }

    record Both(Part ours, OtherController.Part theirs) {}

    private static Map<String, Schema> models(Class<?> type) {
        var resolver = new WireSchemas(new ObjectMapper());
        var context = new ModelConverterContextImpl(resolver);
        context.resolve(new AnnotatedType(type));
        return context.getDefinedModels();
    }

    @Test
    void requiresWhatIsNeverNullAndAllowsNullElsewhere() {
        Schema<?> answer = models(Answer.class).get("WireSchemasTestAnswer");

        assertThat(answer.getRequired())
                .containsExactlyInAnyOrder(
                        "user_id", "count", "all_parts", "value", "data", "metrics", "counts");
        Schema<?> counts = answer.getProperties().get("counts");
        assertThat(counts.getTypes()).containsExactly("array");
        assertThat(counts.getItems().getTypes()).containsExactlyInAnyOrder("integer", "null");
        assertThat(((Schema<?>) answer.getProperties().get("all_parts")).getItems().getAnyOf())
                .isNull();
        assertThat(answer.getProperties().get("last_seen").getTypes())
                .containsExactlyInAnyOrder("string", "null");
        assertThat(answer.getProperties().get("user_id").getTypes()).containsExactly("string");
        assertThat(answer.getProperties().get("part").getAnyOf()).hasSize(2);
        assertThat(answer.getProperties().get("colour").getEnum()).containsNull();
    }

    @Test
    void namesWhatIsUnwrapped() {
        assertThat(models(Wrapping.class).get("WireSchemasTestWrapping").getProperties())
                .containsKeys("part", "last_seen", "revision");
    }

    @Test
    void takesAJsonTreeForAnyValue() {
        Schema<?> answer = models(Answer.class).get("WireSchemasTestAnswer");

        Schema<?> value = answer.getProperties().get("value");
        assertThat(value.getTypes()).hasSize(6);
        assertThat(value.getItems()).isNotNull();
        assertThat(answer.getProperties().get("data").getTypes()).containsExactly("object");
        assertThat(
                        ((Schema<?>)
                                        answer.getProperties()
                                                .get("metrics")
                                                .getAdditionalProperties())
                                .getTypes())
                .hasSize(6);
    }

    @Test
    void keepsRecordsOfOneNameInTwoClassesApart() {
        assertThat(models(Both.class))
                .containsKeys("WireSchemasTestBoth", "WireSchemasTestPart", "OtherPart");
    }
}
