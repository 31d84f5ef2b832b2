package io.mirante.platform.outbound;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Where a tenant may have the service connect to: public addresses, and hosts that a setting names. Every address a name leads to must pass,
 * and the caller connects to one of those it got here, so that a name cannot lead elsewhere in between. Thread-safe.
 */
public final class Destinations {

    private static final int MAX_LENGTH = 2_000;

    private final Set<String> allowed;
    private final String setting;

    /**
     * Destinations under one setting.
     *
     * @param allowed names or addresses, as they are given, that are let through although they are private
     * @param setting the name of the setting that lists them, for what a caller is told
     */
    public Destinations(Collection<String> allowed, String setting) {
        this.allowed =
                allowed.stream()
                        .map(host -> host.strip().toLowerCase(Locale.ROOT))
                        .filter(host -> !host.isEmpty())
                        .collect(Collectors.toUnmodifiableSet());
        this.setting = setting;
    }

    /**
     * A URL, by its form alone.
     *
     * @throws IllegalArgumentException with what is wrong, when it is no absolute http or https URL with a host
     */
    public static URI parse(String text) {
        if (!(text.length() <= MAX_LENGTH)) {
            throw new IllegalArgumentException("url must have at most 2000 characters");
        }
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("url is not a valid URL", e);
        }
        var scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        if (!(scheme.equals("http") || scheme.equals("https"))) {
            throw new IllegalArgumentException("url must begin with https:// or http://");
        }
        if (url.getHost() == null || url.getHost().isEmpty()) {
            throw new IllegalArgumentException("url must name a host");
        }
        if (url.getRawUserInfo() != null) {
            throw new IllegalArgumentException("url must not hold a user or password");
        }
        if (!(url.getPort() == -1 || (url.getPort() >= 1 && url.getPort() <= 65_535))) {
            throw new IllegalArgumentException("url must have a port from 1 to 65535");
        }
        if (!text.chars().allMatch(c -> c > ' ' && c < 127)) {
            throw new IllegalArgumentException("url must be ASCII; escape what is not");
        }
        return url;
    }

    /** The host of a URL, without the brackets of an IPv6 address. */
    public static String hostOf(URI url) {
        var host = url.getHost();
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /**
     * The addresses of a host. Blocks on the name service.
     *
     * @throws RefusedAddressException when one of them may not be reached
     */
    public List<InetAddress> resolve(String host) throws UnknownHostException {
        return checked(host, InetAddress.getAllByName(host));
    }

    /**
     * The same addresses.
     *
     * @throws RefusedAddressException when one of them may not be reached
     */
    public List<InetAddress> checked(String host, InetAddress... addresses)
            throws RefusedAddressException {
        if (!allowed.contains(host.toLowerCase(Locale.ROOT))
                && !Arrays.stream(addresses).allMatch(Destinations::isPublic)) {
            throw new RefusedAddressException(host, setting);
        }
        return List.of(addresses);
    }

    /** Whether the internet routes to it: neither private, local, shared, multicast nor reserved (RFC 6890). */
    static boolean isPublic(InetAddress address) {
        if (address.isAnyLocalAddress()
                || address.isLoopbackAddress()
                || address.isLinkLocalAddress()
                || address.isSiteLocalAddress()
                || address.isMulticastAddress()) {
            return false;
        }
        byte[] bytes = address.getAddress();
        int a = bytes[0] & 0xff;
        int b = bytes[1] & 0xff;
        int c = bytes[2] & 0xff;
        if (address instanceof Inet4Address) {
            boolean reserved =
                    a == 0
                            || a >= 240
                            || (a == 100 && b >= 64 && b < 128) // carrier-grade NAT
                            || (a == 192 && b == 0 && (c == 0 || c == 2))
                            || (a == 192 && b == 88 && c == 99)
                            || (a == 198 && (b == 18 || b == 19))
                            || (a == 198 && b == 51 && c == 100)
                            || (a == 203 && b == 0 && c == 113);
            return !reserved;
        }
        int first = a << 8 | b;
        int second = c << 8 | (bytes[3] & 0xff);
        // Global unicast is 2000::/3 so far; of it not Teredo and its neighbours, documentation,
        // 6to4.
        return (a & 0xe0) == 0x20
                && !(first == 0x2001 && second < 0x0200)
                && !(first == 0x2001 && second == 0x0db8)
                && first != 0x2002
                && !(first == 0x3fff && second < 0x1000);
    }
}
