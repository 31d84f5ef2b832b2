package io.mirante.bench;

import io.mirante.bench.client.MeshException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whole numbers that a benchmark is given as {@code --name N}, and switches as {@code --name}. */
public final class Options {

    private record Option(int usual, int least, int most) {}

    private final String bench;
    private final Map<String, Option> known = new LinkedHashMap<>();
    private final Set<String> switches = new LinkedHashSet<>();
    private final Set<String> on = new HashSet<>();
    private final Map<String, Integer> given = new LinkedHashMap<>();

    private Options(String bench) {
        this.bench = bench;
    }

    /** Options of {@code ./mesh bench NAME}. */
    public static Options of(String bench) {
        return new Options(bench);
    }

    /** Adds one; bounds are inclusive. */
    public Options number(String name, int usual, int least, int most) {
        known.put(name, new Option(usual, least, most));
        return this;
    }

    /** Adds one that is on when it is given. */
    public Options flag(String name) {
        switches.add(name);
        return this;
    }

    /** Whether it was given. */
    public boolean isOn(String name) {
        return on.contains(name);
    }

    /**
     * Reads what was given.
     *
     * @throws MeshException when it is not what the options allow; its message says what is
     */
    public Options read(List<String> arguments) {
        List<String> rest = new ArrayList<>(arguments);
        while (!rest.isEmpty()) {
            if (switches.contains(rest.getFirst())) {
                on.add(rest.getFirst());
                rest = rest.subList(1, rest.size());
                continue;
            }
            Option option = known.get(rest.getFirst());
            if (option == null || rest.size() < 2 || !rest.get(1).matches("\\d{1,9}")) {
                throw new MeshException(usage());
            }
            int value = Integer.parseInt(rest.get(1));
            if (value < option.least() || value > option.most()) {
                throw new MeshException(usage());
            }
            given.put(rest.getFirst(), value);
            rest = rest.subList(2, rest.size());
        }
        return this;
    }

    /** What was given, else the usual value. */
    public int value(String name) {
        Option option = known.get(name);
        if (option == null) {
            throw new IllegalArgumentException("no option " + name);
        }
        return given.getOrDefault(name, option.usual());
    }

    private String usage() {
        StringBuilder text = new StringBuilder("usage: ./mesh bench ").append(bench);
        known.forEach((name, option) ->
                text.append(" [%s N, %d to %d]".formatted(name, option.least(), option.most())));
        switches.forEach(name -> text.append(" [").append(name).append(']'));
        return text.toString();
    }
}
