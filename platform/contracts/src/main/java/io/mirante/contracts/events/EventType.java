package io.mirante.contracts.events;

import com.networknt.schema.Schema;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A type of event that Mirante knows: its name, module, versions and what its data must look like. Immutable and
 * thread-safe.
 */
public final class EventType {
    private final String name;
    private final Module module;
    private final boolean critical;
    private final List<String> entityFields;
    private final Function<JsonNode, @Nullable String> mainProperty;
    private final List<Schema> schemas;

    EventType(
            String name,
            Module module,
            List<String> entityFields,
            Function<JsonNode, @Nullable String> mainProperty,
            List<Schema> schemas) {
        this.name = name;
        this.module = module;
        this.critical = EventTypes.isCriticalName(name);
        this.entityFields = List.copyOf(entityFields);
        this.mainProperty = mainProperty;
        this.schemas = List.copyOf(schemas);
    }

    /** snake_case, such as {@code page_view} or {@code conversation.first_reply}. */
    public String name() {
        return name;
    }

    public Module module() {
        return module;
    }

    /** Goes ahead of other events: {@code *.sla_breached}, {@code *.failed}, {@code core.error}. */
    public boolean critical() {
        return critical;
    }

    /** The newest version of the schema; versions count from 1 and all of them are accepted. */
    public int currentVersion() {
        return schemas.size();
    }

    /**
     * What a funnel step's {@code condition_value} is compared with: for {@code page_view} the path of the URL, for
     * {@code product_view} the product, and so on; null when the data does not have it.
     */
    public @Nullable String mainProperty(JsonNode data) {
        return mainProperty.apply(data);
    }

    /** Fields of the data, most significant first, that name the entity whose events stay in order. */
    List<String> entityFields() {
        return entityFields;
    }

    /** The JSON Schema (draft 2020-12) of the data in a version from 1 to {@link #currentVersion()}. */
    Schema schema(int version) {
        return schemas.get(version - 1);
    }

    @Override
    public String toString() {
        return name;
    }
}
