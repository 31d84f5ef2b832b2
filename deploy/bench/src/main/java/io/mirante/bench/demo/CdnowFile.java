package io.mirante.bench.demo;

import io.mirante.bench.client.MeshException;
import io.mirante.bench.client.Outgoing;
import io.mirante.contracts.Uuid5;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/**
 * The purchases of CDNOW's 1997 customers as Fader and Hardie publish them: whitespace-separated text, one purchase a
 * line, a header line first, lines ending in CR LF. Every line is a purchase, also the 255 that repeat another to the
 * byte, so a line's identity is its number as well as its bytes.
 */
record CdnowFile(List<Purchase> purchases) {
    private static final DateTimeFormatter DAY = DateTimeFormatter.BASIC_ISO_DATE;
    private static final JsonMapper JSON = JsonMapper.shared();

    /**
     * @param eventId UUIDv5 of source, line number and bytes
     * @param customerId with its leading zeros, as in the file
     * @param amount US dollars, as in the file
     */
    record Purchase(String eventId, String customerId, LocalDate day, int quantity, String amount) {
        Outgoing outgoing() {
            Map<String, Object> data = new LinkedHashMap<>();
            data.put("amount", amount);
            data.put("currency", "USD");
            data.put("quantity", quantity);
            Map<String, Object> type = new LinkedHashMap<>();
            type.put("type", "Purchase");
            type.put("data", data);
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("event_id", eventId);
            event.put("user_id", customerId);
            event.put("timestamp", day + "T00:00:00Z");
            event.put("event_type", type);
            return new Outgoing(eventId, JSON.writeValueAsBytes(event));
        }
    }

    /** What one customer's lines add up to. */
    record Customer(Set<LocalDate> days, LocalDate last, BigDecimal monetary, int orders) {
        Customer plus(Purchase purchase) {
            Set<LocalDate> all = new HashSet<>(days);
            all.add(purchase.day());
            return new Customer(
                    all,
                    purchase.day().isAfter(last) ? purchase.day() : last,
                    monetary.add(new BigDecimal(purchase.amount())),
                    orders + 1);
        }
    }

    static CdnowFile read(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new MeshException("cannot read " + file + ": " + e.getMessage(), e);
        }
        return parse("cdnow", bytes);
    }

    /**
     * Reads the file's bytes.
     *
     * @param source name that goes into the ids
     * @throws MeshException naming the line that is no purchase
     */
    static CdnowFile parse(String source, byte[] bytes) {
        List<Purchase> purchases = new ArrayList<>();
        long number = 0;
        for (byte[] line : lines(bytes)) {
            number++;
            String[] words = new String(line, StandardCharsets.US_ASCII).strip().split("\\s+");
            boolean header = number == 1 && words[0].equals("customer_id");
            boolean blank = words.length == 1 && words[0].isEmpty();
            if (header || blank) {
                continue;
            }
            purchases.add(purchase(source, number, line, words));
        }
        return new CdnowFile(List.copyOf(purchases));
    }

    private static Purchase purchase(String source, long number, byte[] line, String[] words) {
        try {
            if (words.length != 4) {
                throw new IllegalArgumentException("it has " + words.length + " fields");
            }
            return new Purchase(
                    eventId(source, number, line),
                    words[0],
                    LocalDate.parse(words[1], DAY),
                    Integer.parseInt(words[2]),
                    new BigDecimal(words[3]).toPlainString());
        } catch (RuntimeException e) {
            throw new MeshException("line " + number + " is no purchase: " + e.getMessage(), e);
        }
    }

    /** Made of source, 1-based line number and the line's bytes, each ended by a line feed. */
    static String eventId(String source, long number, byte[] line) {
        return Uuid5.of(
                        (source + "\n" + number + "\n").getBytes(StandardCharsets.UTF_8),
                        line,
                        new byte[] {'\n'})
                .toString();
    }

    private static List<byte[]> lines(byte[] bytes) {
        List<byte[]> lines = new ArrayList<>();
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (byte b : bytes) {
            if (b == '\n') {
                lines.add(line.toByteArray());
                line.reset();
            } else {
                line.write(b);
            }
        }
        if (line.size() > 0) {
            lines.add(line.toByteArray());
        }
        return lines;
    }

    BigDecimal revenue() {
        return purchases.stream()
                .map(purchase -> new BigDecimal(purchase.amount()))
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    Map<String, Customer> customers() {
        Map<String, Customer> customers = new TreeMap<>();
        for (Purchase purchase : purchases) {
            Customer none = new Customer(Set.of(), LocalDate.MIN, BigDecimal.ZERO, 0);
            customers.put(
                    purchase.customerId(),
                    customers.getOrDefault(purchase.customerId(), none).plus(purchase));
        }
        return customers;
    }

    /** Midnight of the first day. */
    Instant begin() {
        return purchases.stream()
                .map(Purchase::day)
                .min(LocalDate::compareTo)
                .orElse(LocalDate.EPOCH)
                .atStartOfDay(ZoneOffset.UTC)
                .toInstant();
    }

    /** Midnight after the last day. */
    Instant end() {
        return purchases.stream()
                .map(Purchase::day)
                .max(LocalDate::compareTo)
                .orElse(LocalDate.EPOCH)
                .plusDays(1)
                .atStartOfDay(ZoneOffset.UTC)
                .toInstant();
    }
}
