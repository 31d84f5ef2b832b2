package io.mirante.bench.demo;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Waits on {@code as_of}, the mesh's own word for how far it has counted. */
final class Waiting {
    private Waiting() {}

    /**
     * Waits until the windows and the profiles both say that everything accepted before an instant is counted.
     *
     * @param someUser a user the mesh knows by then
     * @return the older of the two; empty when the time is over
     */
    static Optional<Instant> untilCounted(
            MeshClient mesh,
            Screen screen,
            Duration patience,
            Instant acceptedAt,
            String someUser) {
        AtomicReference<String> state = new AtomicReference<>("");
        return screen.await(
                "counting",
                patience,
                () -> {
                    Instant now = Instant.now();
                    Instant windows =
                            MeshClient.asOf(mesh.overview(now.minus(1, ChronoUnit.DAYS), now));
                    Answer user = mesh.get("/api/v1/users/" + someUser);
                    Instant profiles = user.ok() ? MeshClient.asOf(user.body()) : Instant.EPOCH;
                    Instant asOf = windows.isBefore(profiles) ? windows : profiles;
                    state.set(
                            "snapshots as of "
                                    + words(windows)
                                    + ", profiles as of "
                                    + words(profiles));
                    return asOf.isAfter(acceptedAt) ? Optional.of(asOf) : Optional.empty();
                },
                state::get);
    }

    private static String words(Instant asOf) {
        return asOf.equals(Instant.EPOCH)
                ? "nothing yet"
                : asOf.truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
