package io.mirante.contracts.events;

import java.util.Random;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Random JSON, the same for the same seed: all kinds of values, awkward text, doubles of every size. */
final class RandomTrees {
    private static final String[] TEXT = {
        "", "a", "Z", "\"", "\\", "/", "\n", "\b", "\u0001", "\u001f", "\u007f", "é", "€", "日本",
        "😀", "\ufb33", "_"
    };
    private final JsonNodeFactory nodes = JsonNodeFactory.instance;
    private final Random random;

    RandomTrees(long seed) {
        random = new Random(seed);
    }

    ObjectNode object() {
        return object(4);
    }

    private ObjectNode object(int depth) {
        var object = nodes.objectNode();
        for (int i = random.nextInt(6); i > 0; i--) {
            object.set(text(), value(depth - 1));
        }
        return object;
    }

    private JsonNode value(int depth) {
        return switch (random.nextInt(depth > 0 ? 9 : 7)) {
            case 0 -> nodes.nullNode();
            case 1 -> nodes.booleanNode(random.nextBoolean());
            case 2 -> nodes.stringNode(text());
            case 3 -> nodes.numberNode(random.nextInt());
            case 4 -> nodes.numberNode(random.nextLong() >> (11 + random.nextInt(50)));
            case 5 -> nodes.numberNode(Math.round(random.nextDouble() * 1e6) / 100.0);
            case 6 -> nodes.numberNode(anyDouble());
            case 7 -> object(depth);
            default -> {
                var array = nodes.arrayNode();
                for (int i = random.nextInt(5); i > 0; i--) {
                    array.add(value(depth - 1));
                }
                yield array;
            }
        };
    }

    /** Normal numbers only: for subnormal ones Java and ECMAScript print different digits. */
    private double anyDouble() {
        while (true) {
            double value = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(value) && Math.abs(value) > Double.MIN_NORMAL) {
                return value;
            }
        }
    }

    private String text() {
        var text = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            text.append(TEXT[random.nextInt(TEXT.length)]);
        }
        return text.toString();
    }
}
