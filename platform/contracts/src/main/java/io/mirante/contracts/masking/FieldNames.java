package io.mirante.contracts.masking;

import io.mirante.contracts.gateway.MaskingRule.Kind;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What a field's name says about its value. Thread-safe; remembers names it has seen. */
final class FieldNames {

    /**
     * What is expected under a name.
     *
     * @param id identifies something and is kept
     * @param secret no analytics need it: passwords and the like
     * @param kind personal data; null when the name says nothing
     */
    record Meaning(boolean id, boolean secret, @Nullable Kind kind) {}

    private static final Meaning NOTHING = new Meaning(false, false, null);
    private static final Meaning ID = new Meaning(true, false, null);
    private static final Meaning SECRET = new Meaning(false, true, null);

    private static final int MAX_REMEMBERED = 10_000;

    private static final Set<String> SECRETS =
            Set.of("password", "passwd", "senha", "cvv", "cvc", "cvv2", "cardcvv", "securitycode");
    private static final Set<String> FREE_TEXTS =
            Set.of(
                    "message",
                    "messagetext",
                    "text",
                    "body",
                    "comment",
                    "comments",
                    "description",
                    "note",
                    "notes",
                    "content",
                    "feedback",
                    "subject",
                    "question",
                    "answer",
                    "mensagem",
                    "comentario",
                    "descricao",
                    "observacao",
                    "observacoes");
    private static final Map<String, Kind> ENDINGS =
            Map.ofEntries(
                    Map.entry("email", Kind.EMAIL),
                    Map.entry("emailaddress", Kind.EMAIL),
                    Map.entry("phone", Kind.PHONE),
                    Map.entry("phonenumber", Kind.PHONE),
                    Map.entry("telefone", Kind.PHONE),
                    Map.entry("celular", Kind.PHONE),
                    Map.entry("msisdn", Kind.PHONE),
                    Map.entry("mobilenumber", Kind.PHONE),
                    Map.entry("whatsappnumber", Kind.PHONE),
                    Map.entry("cpf", Kind.CPF),
                    Map.entry("cardnumber", Kind.CARD),
                    Map.entry("creditcard", Kind.CARD),
                    Map.entry("numerocartao", Kind.CARD),
                    Map.entry("ipaddress", Kind.IP));

    private static final Map<String, Meaning> SEEN = new ConcurrentHashMap<>();

    private FieldNames() {}

    static Meaning of(String name) {
        var known = SEEN.get(name);
        if (known != null) {
            return known;
        }
        var meaning = judge(name);
        if (SEEN.size() < MAX_REMEMBERED && name.length() <= 100) {
            SEEN.put(name, meaning);
        }
        return meaning;
    }

    private static Meaning judge(String name) {
        var lower = name.toLowerCase(Locale.ROOT);
        var plain = lower.replaceAll("[^a-z0-9]", "");
        if (lower.equals("id")
                || lower.equals("ids")
                || lower.endsWith("_id")
                || lower.endsWith("_ids")
                || name.endsWith("Id")
                || name.endsWith("Ids")) {
            return ID;
        }
        if (SECRETS.contains(plain)) {
            return SECRET;
        }
        if (FREE_TEXTS.contains(plain)) {
            return new Meaning(false, false, Kind.FREE_TEXT);
        }
        if (plain.equals("ip") || lower.endsWith("_ip")) {
            return new Meaning(false, false, Kind.IP);
        }
        for (var ending : ENDINGS.entrySet()) {
            if (plain.endsWith(ending.getKey())) {
                return new Meaning(false, false, ending.getValue());
            }
        }
        return NOTHING;
    }
}
