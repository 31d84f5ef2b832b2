package io.mirante.local;

import io.mirante.contracts.Json;
import io.mirante.embedded.PostgresServer;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/** Passwords and keys of one mesh: made once, readable by their owner alone, never printed. */
final class Secrets {
    private static final int RSA_BITS = 2048;
    private static final int MASTER_KEY_BYTES = 32;
    private static final List<String> PUBLIC_FIELDS = List.of("kty", "use", "alg", "kid", "n", "e");

    private final Home home;
    private final Properties passwords;

    private Secrets(Home home, Properties passwords) {
        this.home = home;
        this.passwords = passwords;
    }

    /** Reads what is there and makes what is missing. */
    static Secrets of(Home home) {
        Path file = home.keys().resolve("passwords.properties");
        Properties passwords = Home.load(file);
        boolean grown = addIfMissing(passwords, "owner");
        for (ServiceName service : ServiceName.all()) {
            grown |= addIfMissing(passwords, service.id() + "_app");
            grown |= addIfMissing(passwords, service.id() + "_stream");
        }
        if (grown) {
            Home.store(passwords, file);
        }
        var secrets = new Secrets(home, passwords);
        secrets.makeMissingKeys();
        secrets.makeMissingMasterKey();
        return secrets;
    }

    String ownerPassword() {
        return password("owner");
    }

    String appPassword(ServiceName service) {
        return password(service.id() + "_app");
    }

    String streamPassword(ServiceName service) {
        return password(service.id() + "_stream");
    }

    /** The private JWK with which a service signs. */
    Path signingKey(ServiceName service) {
        return home.keys().resolve(service.id() + ".jwk");
    }

    /** The JWK set with the public keys of all that sign. */
    Path publicKeys() {
        return home.keys().resolve("jwks.json");
    }

    /**
     * The file with the key that ingestion encrypts rejected originals with: 32 random bytes in Base64. What was
     * encrypted with it is lost with it, so it is part of a backup.
     */
    Path masterKey() {
        return masterKey(home);
    }

    static Path masterKey(Home home) {
        return home.keys().resolve("master.key");
    }

    private String password(String role) {
        return Objects.requireNonNull(passwords.getProperty(role), role);
    }

    private static boolean addIfMissing(Properties passwords, String role) {
        if (passwords.getProperty(role) != null) {
            return false;
        }
        passwords.setProperty(role, PostgresServer.newPassword());
        return true;
    }

    /** A key that is there stays, since whoever signs with it may be running; one more signer gets one of its own. */
    private void makeMissingKeys() {
        var publicParts = new ArrayList<String>();
        for (ServiceName service : ServiceName.all()) {
            if (!service.signs()) {
                continue;
            }
            if (!Files.exists(signingKey(service))) {
                String kid =
                        service.id()
                                + "-"
                                + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
                write(signingKey(service), json(privateJwk(newPair(), kid)));
            }
            publicParts.add(publicPart(signingKey(service)));
        }
        String set = "{\"keys\":[" + String.join(",", publicParts) + "]}";
        if (!set.equals(readIfThere(publicKeys()))) {
            write(publicKeys(), set);
        }
    }

    private static String publicPart(Path signingKey) {
        try {
            if (Json.mapper().readTree(readIfThere(signingKey)) instanceof ObjectNode jwk
                    && PUBLIC_FIELDS.stream().allMatch(jwk::has)) {
                return jwk.retain(PUBLIC_FIELDS).toString();
            }
        } catch (JacksonException notJson) {
            // Refused below, like JSON that is no key.
        }
        throw new MeshException(
                signingKey + " is no signing key: remove it, and the next start makes another");
    }

    private static String readIfThere(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException none) {
            return "";
        } catch (IOException e) {
            throw new MeshException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private void makeMissingMasterKey() {
        if (!Files.exists(masterKey())) {
            byte[] key = new byte[MASTER_KEY_BYTES];
            new SecureRandom().nextBytes(key);
            write(masterKey(), Base64.getEncoder().encodeToString(key) + "\n");
        }
    }

    private static KeyPair newPair() {
        try {
            var generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(RSA_BITS);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new MeshException("cannot make a signing key: " + e.getMessage(), e);
        }
    }

    private static Map<String, String> publicJwk(KeyPair pair, String kid) {
        var key = (RSAPublicKey) pair.getPublic();
        var jwk = new LinkedHashMap<String, String>();
        jwk.put("kty", "RSA");
        jwk.put("use", "sig");
        jwk.put("alg", "RS256");
        jwk.put("kid", kid);
        jwk.put("n", base64(key.getModulus()));
        jwk.put("e", base64(key.getPublicExponent()));
        return jwk;
    }

    private static Map<String, String> privateJwk(KeyPair pair, String kid) {
        var key = (RSAPrivateCrtKey) pair.getPrivate();
        Map<String, String> jwk = publicJwk(pair, kid);
        jwk.put("d", base64(key.getPrivateExponent()));
        jwk.put("p", base64(key.getPrimeP()));
        jwk.put("q", base64(key.getPrimeQ()));
        jwk.put("dp", base64(key.getPrimeExponentP()));
        jwk.put("dq", base64(key.getPrimeExponentQ()));
        jwk.put("qi", base64(key.getCrtCoefficient()));
        return jwk;
    }

    /** RFC 7518: big-endian without the sign's leading zero. */
    private static String base64(BigInteger value) {
        byte[] bytes = value.toByteArray();
        int from = bytes.length > 1 && bytes[0] == 0 ? 1 : 0;
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(java.util.Arrays.copyOfRange(bytes, from, bytes.length));
    }

    /** Names and values hold nothing that needs escaping. */
    private static String json(Map<String, String> object) {
        return object.entrySet().stream()
                .map(field -> "\"" + field.getKey() + "\":\"" + field.getValue() + "\"")
                .collect(Collectors.joining(",", "{", "}"));
    }

    /** Replaces {@code file} in one step; only the owner may read it. */
    static void write(Path file, String content) {
        try {
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.deleteIfExists(fresh);
            Files.createFile(
                    fresh,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
            Files.writeString(fresh, content);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new MeshException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }
}
