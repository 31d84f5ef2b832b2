package io.mirante.snapshot.lake;

import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.messaging.FaultPoint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.springframework.stereotype.Component;

/**
 * Writes files that identify erased persons anew, with the persons' rows as they are in PostgreSQL, where they are blanked already; then
 * removes every file of the tenant's that does not count, since it may identify them too. Thread-safe; blocks.
 */
@Component
public final class EraseFromLake {

    private final LakeManifest manifest;
    private final LakeFolder folder;
    private final FaultPoint faults;

    EraseFromLake(LakeManifest manifest, LakeSettings settings, FaultPoint faults) {
        this.manifest = manifest;
        this.folder = new LakeFolder(settings.folder());
        this.faults = faults;
    }

    /**
     * Of the tenant's persons {@link LakeManifest#erased}, once that is committed.
     *
     * @throws IllegalStateException when somebody else is writing the tenant's files, or the folder fails; to be tried again
     */
    public Erased erase(String tenant) {
        var owner = UUID.randomUUID().toString();
        if (!manifest.lease(tenant, owner)) {
            throw new IllegalStateException("the tenant's lake is being written");
        }
        try {
            return Erased.of(
                    new Removal("files of the lake", Removal.BLANKED, erase(tenant, owner)));
        } finally {
            manifest.release(tenant, owner);
        }
    }

    /**
     * The same for who has the lease.
     *
     * @return how many files were written anew
     */
    int erase(String tenant, String owner) {
        // Whoever wrote from rows as they were before cannot make their files count any more.
        long revision = manifest.raise(tenant);
        var persons = manifest.erased(tenant);
        if (persons.isEmpty()) {
            return 0;
        }
        var files = manifest.files(tenant);
        var kept = new ArrayList<>(files);
        int rewritten = 0;
        if (!files.isEmpty()) {
            folder.requireFolderOf(tenant);
            try (var writer = new LakeWriter(folder, tenant)) {
                var identifying = writer.identifying(persons, files);
                if (!identifying.isEmpty()) {
                    kept.removeAll(identifying);
                    kept.addAll(rewrite(tenant, owner, revision, persons, identifying, writer));
                    rewritten = identifying.size();
                }
            }
        }
        folder.deleteOthers(tenant, kept.stream().map(LakeFile::file).toList(), Instant.MAX);
        manifest.forgotten(tenant, persons);
        return rewritten;
    }

    private List<LakeFile> rewrite(
            String tenant,
            String owner,
            long revision,
            List<Long> persons,
            List<LakeFile> identifying,
            LakeWriter writer) {
        manifest.rowsOf(tenant, persons, writer::add);
        var rewritten = new ArrayList<LakeFile>();
        for (var file : identifying) {
            manifest.lease(tenant, owner);
            rewritten.add(writer.blank(file, persons));
        }
        faults.reached(KeepLake.BEFORE_MANIFEST, tenant);
        if (!manifest.replace(tenant, owner, revision, identifying, rewritten)) {
            writer.takeBack();
            throw new IllegalStateException("the tenant's lake was being written");
        }
        faults.reached(KeepLake.AFTER_MANIFEST, tenant);
        return rewritten;
    }
}
