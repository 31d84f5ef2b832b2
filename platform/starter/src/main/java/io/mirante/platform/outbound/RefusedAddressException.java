package io.mirante.platform.outbound;

import java.net.UnknownHostException;

/** A host leads to an address that is not public and not allowed. The message names the host alone. */
public final class RefusedAddressException extends UnknownHostException {

    private static final long serialVersionUID = 1L;

    RefusedAddressException(String host, String setting) {
        super(
                "%s is not a public address; %s must name it to let it through"
                        .formatted(host, setting));
    }
}
