package io.mirante.platform.messaging;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.etl.PersonMerge;
import io.mirante.contracts.etl.PersonNumbered;
import io.mirante.contracts.etl.PersonRecord;

/** How persons' numbers and merges are read: the header says which of the two a record is. */
public final class Identities {

    private static final Parser<PersonMerge> MERGE = Parser.json(PersonMerge.class);
    private static final Parser<PersonNumbered> NUMBERED = Parser.json(PersonNumbered.class);

    private Identities() {}

    /** Parser of {@code mirante.identities}. */
    public static Parser<PersonRecord> parser() {
        return Identities::parse;
    }

    private static PersonRecord parse(byte[] value, Headers headers) throws PoisonException {
        return PersonMerge.TYPE.equals(headers.get(CloudHeaders.TYPE))
                ? MERGE.parse(value, headers)
                : NUMBERED.parse(value, headers);
    }
}
