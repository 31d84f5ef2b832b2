package io.mirante.etl.quality;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A clean table of transactions, the same for a seed, whose rows tests spoil. */
final class Transactions {
    static final Instant NEWEST = Instant.parse("2026-11-20T12:00:00Z");
    static final String HEADER = "transaction_id,user_id,amount,transaction_type,status,created_at";

    /** transaction_id, user_id, amount, transaction_type, status, created_at. */
    final List<String[]> rows = new ArrayList<>();

    static Transactions of(int count, long seed) {
        var random = new Random(seed);
        var all = new Transactions();
        for (int i = 0; i < count; i++) {
            all.rows.add(
                    new String[] {
                        "t%06d".formatted(i),
                        "u%04d".formatted(random.nextInt(count / 10 + 1)),
                        "%.2f".formatted(100 + 15 * random.nextGaussian()),
                        random.nextBoolean() ? "deposit" : "bet",
                        random.nextInt(10) == 0 ? "pending" : "completed",
                        NEWEST.minusSeconds(60L * (count - 1 - i)).toString()
                    });
        }
        return all;
    }

    Path write(Path file) throws IOException {
        var lines = new ArrayList<String>();
        lines.add(HEADER);
        rows.forEach(row -> lines.add(String.join(",", row)));
        return Files.write(file, lines);
    }
}
