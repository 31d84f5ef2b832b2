package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.ProblemException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Numbers texts from 1 on as they are met. At most 16,000, and 16 MB of them. Not thread-safe. */
final class TextNumbers {

    private static final int MAX_TEXTS = 16_000;
    private static final int MAX_CHARACTERS = 8 << 20;

    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> texts = new ArrayList<>(List.of(""));
    private final String remedy;
    private final int maxTexts;
    private long characters;

    /**
     * None yet.
     *
     * @param remedy what to ask instead when there are too many, for whoever asked
     */
    TextNumbers(String remedy) {
        this(remedy, MAX_TEXTS);
    }

    TextNumbers(String remedy, int maxTexts) {
        this.remedy = remedy;
        this.maxTexts = maxTexts;
    }

    /**
     * The text's number, 1 or more.
     *
     * @throws ProblemException 422 when there are too many
     */
    int of(String text) {
        var known = numbers.get(text);
        if (known != null) {
            return known;
        }
        characters += text.length();
        if (numbers.size() == maxTexts || characters > MAX_CHARACTERS) {
            throw ProblemException.impossible(
                    "too-many-values",
                    "there are more than %,d different values; %s"
                            .formatted(numbers.size(), remedy));
        }
        int number = texts.size();
        numbers.put(text, number);
        texts.add(text);
        return number;
    }

    /** How many texts there are. */
    int size() {
        return numbers.size();
    }

    /** The text of a number. */
    String text(int number) {
        return texts.get(number);
    }
}
