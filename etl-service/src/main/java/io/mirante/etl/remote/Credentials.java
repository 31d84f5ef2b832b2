package io.mirante.etl.remote;

/** What a source elsewhere asks for. Never printed. */
public record Credentials(String name, String secret) {

    @Override
    public String toString() {
        return "credentials";
    }
}
