package io.mirante.contracts.masking;

import io.mirante.contracts.gateway.MaskingRule.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds personal data in text by its form: e-mail addresses, phone numbers, CPFs (with their check digits), card numbers
 * (Luhn, and a known issuer's first digits), IP addresses. Reads a text once or twice, whatever it holds: written by hand
 * because regular expressions with this many alternatives backtrack. Holds no state.
 *
 * <p>Phone numbers are recognised with a {@code +}, in parentheses or in the Brazilian and North American groupings, and
 * as eleven digits of a Brazilian mobile; other runs of digits are left alone, because they may be anything.
 */
final class Recogniser {

    private static final int MAX_LOCAL = 64;
    private static final int MAX_DOMAIN = 253;
    private static final int MAX_DIGITS = 19;

    /** A card has five groups at most, a phone number with all its codes six. */
    private static final int MAX_GROUPS = 6;

    private static final int MAX_IP6 = 45;

    private Recogniser() {}

    /** What a text holds, from left to right, none overlapping another. */
    static List<Finding> find(String text) {
        int digits = 0;
        int colons = 0;
        boolean at = false;
        boolean percent = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= '0' && c <= '9') {
                digits++;
            } else if (c == '@') {
                at = true;
            } else if (c == ':') {
                colons++;
            } else if (c == '%') {
                percent = true;
            }
        }
        boolean mail = at || (percent && text.contains("%40"));
        if (!mail && digits < 4 && colons < 2) {
            return List.of();
        }
        var found = new ArrayList<Finding>(0);
        if (mail) {
            emails(text, found);
        }
        if (colons >= 2) {
            ip6(text, found);
        }
        if (digits >= 4) {
            numbers(text, found);
        }
        return found.size() < 2 ? found : apart(found);
    }

    private static List<Finding> apart(List<Finding> found) {
        found.sort(
                Comparator.comparingInt(Finding::from)
                        .thenComparing(Finding::to, Comparator.reverseOrder()));
        var kept = new ArrayList<Finding>(found.size());
        int end = 0;
        for (var one : found) {
            if (one.from() >= end) {
                kept.add(one);
                end = one.to();
            }
        }
        return kept;
    }

    // --- e-mail addresses, also with an encoded @ as in the query of a URL

    private static void emails(String text, List<Finding> found) {
        for (int i = 0; i < text.length(); i++) {
            int width = text.charAt(i) == '@' ? 1 : text.startsWith("%40", i) ? 3 : 0;
            if (width == 0) {
                continue;
            }
            int from = i;
            while (from > 0 && i - from < MAX_LOCAL && local(text.charAt(from - 1))) {
                from--;
            }
            int to = i + width;
            int limit = Math.min(text.length(), to + MAX_DOMAIN);
            while (to < limit && domain(text.charAt(to))) {
                to++;
            }
            while (to > i + width && !Character.isLetterOrDigit(text.charAt(to - 1))) {
                to--;
            }
            int dot = to - 1;
            while (dot > i + width && text.charAt(dot) != '.') {
                dot--;
            }
            if (from < i && dot > i + width && to - dot > 2) {
                found.add(new Finding(Kind.EMAIL, from, to));
            }
        }
    }

    private static boolean local(char c) {
        return switch (c) {
            case '.', '_', '%', '+', '-', '\'' -> true;
            default -> Character.isLetterOrDigit(c);
        };
    }

    private static boolean domain(char c) {
        return c == '.' || c == '-' || Character.isLetterOrDigit(c);
    }

    // --- IPv6

    private static void ip6(String text, List<Finding> found) {
        int i = 0;
        while (i < text.length()) {
            if (!ip6Part(text.charAt(i))) {
                i++;
                continue;
            }
            int from = i;
            while (i < text.length() && ip6Part(text.charAt(i))) {
                i++;
            }
            boolean alone =
                    (from == 0 || !Character.isLetterOrDigit(text.charAt(from - 1)))
                            && (i == text.length() || !Character.isLetterOrDigit(text.charAt(i)));
            int to = i;
            while (to > from && text.charAt(to - 1) == '.') {
                to--;
            }
            if (alone && to - from <= MAX_IP6 && Addresses.isIp6(text.substring(from, to))) {
                found.add(new Finding(Kind.IP, from, to));
            }
        }
    }

    private static boolean ip6Part(char c) {
        return c == ':'
                || c == '.'
                || (c >= '0' && c <= '9')
                || (c >= 'a' && c <= 'f')
                || (c >= 'A' && c <= 'F');
    }

    // --- numbers

    /** Groups of digits with at most two separating characters between them. */
    private record Group(int from, int to) {
        int length() {
            return to - from;
        }
    }

    private static void numbers(String text, List<Finding> found) {
        int i = 0;
        while (i < text.length()) {
            if (!digit(text.charAt(i))) {
                i++;
                continue;
            }
            if (i > 0 && wordPart(text.charAt(i - 1))) {
                i = endOfDigits(text, i);
                continue;
            }
            var chain = chain(text, i);
            if (chain.isEmpty()) {
                i = endOfDigits(text, i);
                continue;
            }
            int next = chain.getFirst().to();
            for (int last = chain.size(); last > 0; last--) {
                var kind = kindOf(text, chain.subList(0, last));
                if (kind != null) {
                    found.add(
                            new Finding(
                                    kind,
                                    withPrefix(text, chain.getFirst().from(), kind),
                                    chain.get(last - 1).to()));
                    next = chain.get(last - 1).to();
                    break;
                }
            }
            i = next;
        }
    }

    private static List<Group> chain(String text, int start) {
        var groups = new ArrayList<Group>(4);
        int from = start;
        int digits = 0;
        while (true) {
            int to = endOfDigits(text, from);
            digits += to - from;
            if (digits > MAX_DIGITS || (to < text.length() && wordPart(text.charAt(to)))) {
                return groups;
            }
            groups.add(new Group(from, to));
            if (groups.size() == MAX_GROUPS) {
                return groups;
            }
            int next = to;
            while (next < text.length() && next - to < 2 && separator(text.charAt(next))) {
                next++;
            }
            if (next == to || next >= text.length() || !digit(text.charAt(next))) {
                return groups;
            }
            from = next;
        }
    }

    private static @Nullable Kind kindOf(String text, List<Group> groups) {
        var digits = new StringBuilder(MAX_DIGITS);
        for (var group : groups) {
            digits.append(text, group.from(), group.to());
        }
        if (card(text, groups, digits)) {
            return Kind.CARD;
        }
        if (cpf(text, groups, digits)) {
            return Kind.CPF;
        }
        if (ip4(text, groups)) {
            return Kind.IP;
        }
        return phone(text, groups, digits) ? Kind.PHONE : null;
    }

    private static boolean card(String text, List<Group> groups, CharSequence digits) {
        boolean grouped =
                switch (groups.size()) {
                    case 1 -> true;
                    case 3 ->
                            groups.get(0).length() == 4
                                    && groups.get(1).length() == 6
                                    && groups.get(2).length() >= 4;
                    case 4, 5 ->
                            groups.subList(0, 4).stream().allMatch(g -> g.length() == 4)
                                    && groups.getLast().length() <= 4;
                    default -> false;
                };
        return grouped && separatedBy(text, groups, " -") && isCard(digits);
    }

    /** Whether digits are a card's number: an issuer's first digits, one of its lengths, Luhn's check digit. */
    static boolean isCard(CharSequence digits) {
        int n = digits.length();
        return n >= 13 && n <= MAX_DIGITS && issued(digits, n) && luhn(digits);
    }

    private static boolean issued(CharSequence digits, int n) {
        int four = number(digits, 4);
        int two = four / 100;
        int three = four / 10;
        boolean visa = four / 1000 == 4 && (n == 13 || n == 16 || n == 19);
        boolean mastercard =
                n == 16 && ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720));
        boolean amex = n == 15 && (two == 34 || two == 37);
        boolean diners = n == 14 && ((three >= 300 && three <= 305) || two == 36 || two == 38);
        boolean others =
                n >= 16
                        && (four == 6011
                                || two == 65
                                || (three >= 644 && three <= 649)
                                || (four >= 3528 && four <= 3589)
                                || two == 62
                                || two == 50
                                || four == 6062
                                || four == 6363
                                || four == 6362);
        return visa || mastercard || amex || diners || others;
    }

    private static boolean luhn(CharSequence digits) {
        int sum = 0;
        for (int i = 0; i < digits.length(); i++) {
            int digit = digits.charAt(digits.length() - 1 - i) - '0';
            int doubled = digit * 2;
            sum += i % 2 == 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
        }
        return sum % 10 == 0;
    }

    private static boolean cpf(String text, List<Group> groups, CharSequence digits) {
        boolean grouped =
                groups.size() == 1
                        || (groups.size() == 2
                                && groups.get(0).length() == 9
                                && groups.get(1).length() == 2)
                        || (groups.size() == 4
                                && groups.get(0).length() == 3
                                && groups.get(1).length() == 3
                                && groups.get(2).length() == 3);
        return grouped && separatedBy(text, groups, " .-/") && isCpf(digits);
    }

    /** Whether digits are a CPF: eleven, not all the same, the last two the check digits modulo 11. */
    static boolean isCpf(CharSequence digits) {
        if (digits.length() != 11) {
            return false;
        }
        boolean same = true;
        for (int i = 1; i < 11; i++) {
            same &= digits.charAt(i) == digits.charAt(0);
        }
        return !same && check(digits, 9) && check(digits, 10);
    }

    private static boolean check(CharSequence digits, int at) {
        int sum = 0;
        for (int i = 0; i < at; i++) {
            sum += (digits.charAt(i) - '0') * (at + 1 - i);
        }
        int expected = sum * 10 % 11 % 10;
        return digits.charAt(at) - '0' == expected;
    }

    private static boolean ip4(String text, List<Group> groups) {
        if (groups.size() != 4 || !separatedBy(text, groups, ".")) {
            return false;
        }
        for (var group : groups) {
            if (group.length() > 3 || Integer.parseInt(text, group.from(), group.to(), 10) > 255) {
                return false;
            }
        }
        int from = groups.getFirst().from();
        // A version after a product's name, as in a user agent, unless it is a URL's host.
        return from == 0
                || text.charAt(from - 1) != '/'
                || (from > 1 && text.charAt(from - 2) == '/');
    }

    private static boolean phone(String text, List<Group> groups, CharSequence digits) {
        int n = digits.length();
        int from = groups.getFirst().from();
        if (from > 0 && text.charAt(from - 1) == '+') {
            return n >= 8 && n <= 15;
        }
        boolean parenthesised =
                from > 0
                        && text.charAt(from - 1) == '('
                        && text.substring(from, groups.getLast().from()).indexOf(')') >= 0;
        if (parenthesised) {
            return n >= 9 && n <= 11;
        }
        if (groups.size() == 1) {
            return n == 11
                    && digits.charAt(0) != '0'
                    && digits.charAt(1) != '0'
                    && digits.charAt(2) == '9';
        }
        var last = groups.getLast();
        var before = groups.get(groups.size() - 2);
        boolean dashed = text.charAt(before.to()) == '-' || text.charAt(before.to()) == '.';
        boolean brazilian =
                last.length() == 4
                        && (before.length() == 4 || before.length() == 5)
                        && groups.getFirst().length() == 2
                        && (n == 10 || n == 11 || n == 12 || n == 13);
        boolean american =
                last.length() == 4
                        && before.length() == 3
                        && groups.size() >= 3
                        && groups.get(groups.size() - 3).length() == 3
                        && (n == 10 || n == 11);
        return dashed && (brazilian || american);
    }

    private static boolean separatedBy(String text, List<Group> groups, String separators) {
        for (int i = 1; i < groups.size(); i++) {
            int at = groups.get(i - 1).to();
            if (groups.get(i).from() - at != 1 || separators.indexOf(text.charAt(at)) < 0) {
                return false;
            }
        }
        return true;
    }

    private static int withPrefix(String text, int from, Kind kind) {
        boolean prefixed =
                kind == Kind.PHONE
                        && from > 0
                        && (text.charAt(from - 1) == '+' || text.charAt(from - 1) == '(');
        return prefixed ? from - 1 : from;
    }

    private static int number(CharSequence digits, int length) {
        return Integer.parseInt(digits, 0, length, 10);
    }

    private static int endOfDigits(String text, int from) {
        int to = from;
        while (to < text.length() && digit(text.charAt(to))) {
            to++;
        }
        return to;
    }

    private static boolean digit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean separator(char c) {
        return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/';
    }

    private static boolean wordPart(char c) {
        return c == '_' || Character.isLetterOrDigit(c);
    }
}
