package io.mirante.platform.web;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import io.swagger.v3.core.converter.AnnotatedType;
import io.swagger.v3.core.converter.ModelConverter;
import io.swagger.v3.core.converter.ModelConverterContext;
import io.swagger.v3.core.jackson.ModelResolver;
import io.swagger.v3.core.jackson.TypeNameResolver;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.media.JsonSchema;
import io.swagger.v3.oas.models.media.Schema;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Schemas of what is on the wire: snake_case; a record's component is required unless it is {@code @Nullable}, and then it
 * may be null, as may elements of a {@code List<@Nullable …>}; a JSON tree is any value. A record inside another class is named with it ({@code Funnel.Step} is {@code
 * FunnelStep}), for two of one name would become one schema.
 */
final class WireSchemas extends ModelResolver {

    private static final SnakeCaseStrategy SNAKE = new SnakeCaseStrategy();

    /** Named one by one: springdoc takes a schema without a type for an object. */
    private static final List<String> ANY =
            List.of("object", "array", "string", "number", "boolean", "null");

    WireSchemas(ObjectMapper mapper) {
        super(
                mapper.copy().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE),
                new Names());
        setOpenapi31(true);
    }

    @Override
    public @Nullable Schema<?> resolve(
            AnnotatedType type, ModelConverterContext context, Iterator<ModelConverter> chain) {
        var raw = _mapper.constructType(type.getType()).getRawClass();
        if (raw == ObjectNode.class) {
            return of(List.of("object"));
        }
        if (raw == ArrayNode.class) {
            return of(List.of("array"));
        }
        if (raw == Object.class || JsonNode.class.isAssignableFrom(raw)) {
            return of(ANY);
        }
        Schema<?> schema = super.resolve(type, context, chain);
        if (schema != null && raw.isRecord()) {
            var reference = schema.get$ref();
            var model =
                    reference == null
                            ? schema
                            : context.getDefinedModels()
                                    .get(
                                            reference.substring(
                                                    Components.COMPONENTS_SCHEMAS_REF.length()));
            if (model != null && model.getProperties() != null) {
                tellNulls(raw, model);
            }
        }
        return schema;
    }

    private static JsonSchema of(List<String> types) {
        var schema = new JsonSchema();
        types.forEach(schema::addType);
        if (types.contains("array")) {
            schema.setItems(new JsonSchema());
        }
        return schema;
    }

    private static void tellNulls(Class<?> type, Schema<?> model) {
        var required = new ArrayList<String>();
        for (var component : type.getRecordComponents()) {
            var name = name(component);
            var property = model.getProperties().get(name);
            if (property == null) {
                continue;
            }
            if (property.getItems() != null && hasNullElements(component)) {
                property.setItems(orNull(property.getItems()));
            }
            if (component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
                model.getProperties().put(name, orNull(property));
            } else {
                required.add(name);
            }
        }
        model.setRequired(required.isEmpty() ? null : required);
    }

    private static boolean hasNullElements(RecordComponent component) {
        return component.getAnnotatedType() instanceof AnnotatedParameterizedType list
                && list.getAnnotatedActualTypeArguments()[0].isAnnotationPresent(Nullable.class);
    }

    private static String name(RecordComponent component) {
        var named = component.getAccessor().getAnnotation(JsonProperty.class);
        return named != null && !named.value().isEmpty()
                ? named.value()
                : SNAKE.translate(component.getName());
    }

    private static Schema<?> orNull(Schema<?> property) {
        if (property.get$ref() != null) {
            var either = new JsonSchema();
            either.setName(property.getName());
            either.setAnyOf(List.of(property, of(List.of("null"))));
            return either;
        }
        var types = property.getTypes();
        if (types != null && !types.contains("null")) {
            var all = new LinkedHashSet<>(types);
            all.add("null");
            property.setTypes(all);
            if (property.getEnum() != null) {
                property.addEnumItemObject(null);
            }
        }
        return property;
    }

    private static final class Names extends TypeNameResolver {
        @Override
        protected String nameForClass(Class<?> type, Set<Options> options) {
            var outer = type.getEnclosingClass();
            return outer == null
                    ? super.nameForClass(type, options)
                    : outer.getSimpleName().replaceAll("Controller$", "")
                            + super.nameForClass(type, options);
        }
    }
}
