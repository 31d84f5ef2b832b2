package io.mirante.contracts.masking;

import java.net.Inet6Address;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** IP addresses as text; never asks a name server. Holds no state. */
final class Addresses {

    private Addresses() {}

    /** Whether it is an IPv6 address in full or with {@code ::}; a time of day is none. */
    static boolean isIp6(String text) {
        int colons = (int) text.chars().filter(c -> c == ':').count();
        return (text.contains("::") || colons == 7) && parse(text) instanceof Inet6Address;
    }

    /** The network it lies in: the first 24 bits of an IPv4, 48 of an IPv6 address; null when it is none. */
    static @Nullable String network(String text) {
        var address = parse(text);
        if (address == null) {
            return null;
        }
        var bytes = address.getAddress();
        int kept = bytes.length == 4 ? 3 : 6;
        if (bytes.length == 4) {
            return "%d.%d.%d.0".formatted(bytes[0] & 0xFF, bytes[1] & 0xFF, bytes[2] & 0xFF);
        }
        var out = new StringBuilder(20);
        for (int i = 0; i < kept; i += 2) {
            out.append(Integer.toHexString((bytes[i] & 0xFF) << 8 | (bytes[i + 1] & 0xFF)))
                    .append(':');
        }
        return out.append(':').toString();
    }

    private static @Nullable InetAddress parse(String text) {
        boolean four = text.indexOf(':') < 0;
        if (text.isEmpty() || (four && text.chars().filter(c -> c == '.').count() != 3)) {
            return null;
        }
        try {
            var address = InetAddress.ofLiteral(text);
            return four == (address instanceof Inet6Address) ? null : address;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
