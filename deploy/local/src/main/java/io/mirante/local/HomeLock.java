package io.mirante.local;

import io.mirante.embedded.ProcessRecord;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** At most one command changes a home folder at a time. The system frees the lock when its process ends. */
final class HomeLock implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(100);

    private final Home home;
    private final FileChannel channel;
    private final FileLock lock;

    private HomeLock(Home home, FileChannel channel, FileLock lock) {
        this.home = home;
        this.channel = channel;
        this.lock = lock;
    }

    /** Takes the lock or says who holds it. */
    static HomeLock take(Home home) {
        HomeLock taken = tryTake(home);
        if (taken == null) {
            throw new MeshException(
                    "another ./mesh command"
                            + holder(home).map(pid -> " (process " + pid.pid() + ")").orElse("")
                            + " is starting or stopping the mesh in "
                            + home.folder());
        }
        return taken;
    }

    /** Takes the lock, waiting for its holder at most {@code limit}. */
    static HomeLock await(Home home, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (System.nanoTime() < deadline) {
            HomeLock taken = tryTake(home);
            if (taken != null) {
                return taken;
            }
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MeshException("interrupted", e);
            }
        }
        return take(home);
    }

    /** The process that holds the lock, if one does. */
    static Optional<ProcessRecord> holder(Home home) {
        return ProcessRecord.read(holderFile(home)).filter(ProcessRecord::isAlive);
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(holderFile(home));
            lock.release();
            channel.close();
        } catch (IOException e) {
            throw new MeshException("cannot release the lock: " + e.getMessage(), e);
        }
    }

    private static @Nullable HomeLock tryTake(Home home) {
        try {
            Files.createDirectories(home.folder());
            FileChannel channel =
                    FileChannel.open(
                            home.lockFile(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock;
            try {
                lock = channel.tryLock();
            } catch (OverlappingFileLockException sameProcess) {
                lock = null;
            }
            if (lock == null) {
                channel.close();
                return null;
            }
            ProcessRecord.of(ProcessHandle.current()).write(holderFile(home));
            return new HomeLock(home, channel, lock);
        } catch (IOException e) {
            throw new MeshException("cannot lock " + home.folder() + ": " + e.getMessage(), e);
        }
    }

    private static Path holderFile(Home home) {
        return home.folder().resolve("lock.pid");
    }
}
