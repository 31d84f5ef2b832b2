package io.mirante.snapshot.lake;

import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.erasure.ErasePerson.Target;
import io.mirante.platform.messaging.FaultPoint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.UUID;
import org.springframework.stereotype.Component;

/**
 * Writes files that identify a person anew, with the person's rows as they are in PostgreSQL, where they are blanked already; then removes
 * every file of the tenant's that does not count, since it may identify them too. Thread-safe; blocks.
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
     * Once the person's rows are blanked, and that is committed.
     *
     * @throws IllegalStateException when somebody else is writing the tenant's files, or the folder fails; to be tried again
     */
    public Erased erase(Target person) {
        var tenant = person.tenantId();
        if (person.personNos().isEmpty()) {
            return Erased.NOTHING;
        }
        var owner = UUID.randomUUID().toString();
        if (!manifest.lease(tenant, owner)) {
            throw new IllegalStateException("the tenant's lake is being written");
        }
        try {
            return erase(person, owner);
        } finally {
            manifest.release(tenant, owner);
        }
    }

    private Erased erase(Target person, String owner) {
        var tenant = person.tenantId();
        // Whoever wrote from rows as they were before cannot make their files count any more.
        long revision = manifest.raise(tenant);
        var files = manifest.files(tenant);
        if (!files.isEmpty()) {
            folder.requireFolderOf(tenant);
        }
        var rewritten = new ArrayList<LakeFile>();
        var kept = new ArrayList<>(files);
        if (!files.isEmpty()) {
            try (var writer = new LakeWriter(folder, tenant)) {
                var identifying = writer.identifying(person.personNos(), files);
                if (!identifying.isEmpty()) {
                    manifest.rowsOf(tenant, person.personNos(), writer::add);
                    for (var file : identifying) {
                        manifest.lease(tenant, owner);
                        rewritten.add(writer.blank(file, person.personNos()));
                    }
                    faults.reached(KeepLake.BEFORE_MANIFEST, tenant);
                    if (!manifest.replace(tenant, owner, revision, identifying, rewritten)) {
                        writer.takeBack();
                        throw new IllegalStateException("the tenant's lake was being written");
                    }
                    faults.reached(KeepLake.AFTER_MANIFEST, tenant);
                    kept.removeAll(identifying);
                    kept.addAll(rewritten);
                }
            }
        }
        folder.deleteOthers(tenant, kept.stream().map(LakeFile::file).toList(), Instant.MAX);
        return Erased.of(new Removal("files of the lake", Removal.BLANKED, rewritten.size()));
    }
}
