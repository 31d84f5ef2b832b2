package io.mirante.bench.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The commands that a page promises to work: its fenced blocks that call curl. Those of language {@code bash} work on any mesh,
 * those of language {@code sh} need the history and the models that the demo makes.
 */
final class ReadmeCommands {
    private ReadmeCommands() {}

    static List<String> of(Path page, String language) {
        return blocks(page, language).stream().filter(block -> block.contains("curl ")).toList();
    }

    /** All fenced blocks of a language, without their fences. */
    static List<String> blocks(Path page, String language) {
        List<String> blocks = new ArrayList<>();
        StringBuilder block = new StringBuilder();
        boolean inside = false;
        try {
            for (String line : Files.readAllLines(page)) {
                if (line.strip().equals("```" + language)) {
                    inside = true;
                    block.setLength(0);
                } else if (inside && line.strip().equals("```")) {
                    inside = false;
                    blocks.add(block.toString());
                } else if (inside) {
                    block.append(line).append('\n');
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return blocks;
    }
}
