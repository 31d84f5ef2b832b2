package io.mirante.alert.webhook;

import java.net.UnknownHostException;

/** A webhook's host leads to an address that is not public and not allowed. The message names the host alone. */
public final class RefusedAddressException extends UnknownHostException {

    private static final long serialVersionUID = 1L;

    RefusedAddressException(String host) {
        super(
                host
                        + " is not a public address; WEBHOOK_ALLOWED_HOSTS must name it to let it through");
    }
}
