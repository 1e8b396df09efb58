/* Processes commit, read and compact: the next epoch's files are written beside those of the current one, the manifest
 * is replaced, and the other processes follow. Between any two steps a process may be killed, and the power may be cut.
 * A step is one system call, or several that no other process can notice in between.
 *
 * README.md has the Swift name of each step and word, what is left out, the flags of each run, and the mutants: a macro
 * MUTANT_… takes a protection out.
 *
 * Epochs have numbers from 1. An epoch's base and journal are one file here. A set of transactions has a bit for each,
 * and the bit BASE says that the base and the header are whole.
 */

#ifndef PROCESSES
#define PROCESSES 3
#endif
/* The last epoch, how many transactions are committed, and how much each process executes. */
#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef COMMITS
#define COMMITS 2
#endif
#ifndef GROUPS
#define GROUPS 2
#endif
/* The most faults of each kind. */
#ifndef KILLS
#define KILLS 0
#endif
#ifndef CUTS
#define CUTS 0
#endif
/* Failed syncs of the directory, and full disks. */
#ifndef FAILED_SYNCS
#define FAILED_SYNCS 0
#endif
#ifndef FULL_DISKS
#define FULL_DISKS 0
#endif

/* A promise, and the name of its violation, which is never true: the checker prints it. */
#define PROMISE(violation, condition) assert((condition) || violation)
hidden byte lost, toldTooEarly, stale, looksDamaged, writtenToOldJournal, blocked;

#define BASE 128
#define IN(part, whole) (((part) & (whole)) == (part))
#define GREATER(a, b) ((a) > (b) -> (a) : (b))

/* What a process does next. */
mtype = {
    closed, idle, ended, dies,
    findsOrphans, syncsNames, takesCompactionLock, writesAgain, syncsAgain, renamesAgain, syncsRenamedAgain,
    removesOrphans, opens, settles,
    takesLockToRead, looksUnderLock, follows, reads, catchesUp, writes, releases, syncs,
    checksManifest, creates, writesBase, takesOver, carries, syncsJournal, writesTemporary, syncsFiles, renames,
    syncsManifest, removesOld, releasesTaken, removesFiles, releasesCompactionLock
};

typedef Process {
    mtype step;
    byte groups;
    bit isOpening, isWriting, hasInstalled;
    bit holdsLock, holdsCompactionLock;
    byte epoch;                /* of the manifest that it uses */
    byte known;                /* the transactions that it has read or written */
    bit isUnsettled;
    bit failsToSync            /* the syncs of this open directory fail, because an earlier one has */
};

Process process[PROCESSES];
#define self process[id]

/* The epoch in manifest.json: in memory, and on the disk. */
byte manifest = 1, manifestOnDisk = 1;
/* Whether the text of manifest.json, and that of its temporary file, is on the disk. */
bit isTextOnDisk = 1, isTemporaryOnDisk;
/* A failed sync has dropped the last rename: no later sync writes it. */
bit isRenameDropped;

/* By epoch: whether the files have their names, in memory and on the disk, and the transactions that they have. */
bit isNamed[EPOCHS + 1], isNamedOnDisk[EPOCHS + 1];
byte has[EPOCHS + 1], hasOnDisk[EPOCHS + 1];

bit lock, compactionLock;
/* How many transactions were committed, and those on which a reply has depended. */
byte commits, acknowledged;

byte kills = KILLS, cuts = CUTS, failedSyncs = FAILED_SYNCS, fullDisks = FULL_DISKS;
/* A loop variable, 0 between steps. */
byte i;

#define next (self.epoch + 1)
#define HAS_NEWS (manifest != self.epoch || has[self.epoch] != self.known || !isNamed[self.epoch])
#define HAS_EARLIER (isNamed[1] && manifest > 1 || isNamed[2] && manifest > 2)
#define HAS_LATER (isNamed[2] && manifest < 2 || isNamed[EPOCHS] && manifest < EPOCHS)
#define IS_RUNNING(step) (step != closed && step != ended && step != dies)

/* The processes are interchangeable. They are sorted after each step, so that states that differ only in their order are
 * explored once.
 */
c_code {
    void sortProcesses(void) {
        size_t bytes = sizeof now.process[0];
        char *first = (char *) now.process, spare[sizeof now.process[0]];
        for (char *end = first + bytes; end < first + sizeof now.process; end += bytes)
            for (char *at = end; at > first && memcmp(at - bytes, at, bytes) > 0; at -= bytes) {
                memcpy(spare, at, bytes);
                memcpy(at, at - bytes, bytes);
                memcpy(at - bytes, spare, bytes);
            }
    }
}
inline sort() { c_code { sortProcesses(); } }

inline forget(p) {
    process[p].isOpening = 0; process[p].isWriting = 0; process[p].hasInstalled = 0;
    process[p].holdsLock = 0; process[p].holdsCompactionLock = 0;
    process[p].epoch = 0; process[p].known = 0; process[p].isUnsettled = 0; process[p].failsToSync = 0
}

/* The process ends, and starts again with another group. */
inline restart(p) {
    forget(p);
    process[p].groups = GREATER(process[p].groups, 1);
    process[p].step = closed
}

inline takeLock() { lock = 1; self.holdsLock = 1 }

inline releaseLock() {
    lock = lock && !self.holdsLock;
    self.holdsLock = 0
}

inline releaseCompactionLock() {
    compactionLock = compactionLock && !self.holdsCompactionLock;
    self.holdsCompactionLock = 0
}

inline endGroup() {
    self.isWriting = 0; self.hasInstalled = 0;
    if
    :: self.groups > 0 -> self.step = idle
    :: else -> forget(id); self.step = ended
    fi
}

/* Directory.sync */
inline syncNames() {
    do
    :: i <= EPOCHS -> isNamedOnDisk[i] = isNamed[i]; i++
    :: else -> i = 0; break
    od;
    manifestOnDisk = (isRenameDropped -> manifestOnDisk : manifest)
}

/* The system drops the rename, and reports that once for each open directory. `Directory.sync` fails ever after. */
inline failToSyncNames() {
    if
    :: !self.failsToSync ->
        failedSyncs--;
        isRenameDropped = isRenameDropped || manifestOnDisk != manifest;
        do
        :: i < PROCESSES -> process[i].failsToSync = IS_RUNNING(process[i].step); i++
        :: else -> i = 0; break
        od
    :: else
    fi
}
#define SYNC_FAILS (self.failsToSync || failedSyncs > 0)

inline rename(number) {
    manifest = number;
    isTextOnDisk = isTemporaryOnDisk;
    isTemporaryOnDisk = 0;
    isRenameDropped = 0
}

#ifdef MUTANT_COMPACTED_WITHOUT_COMPACTION_LOCK
#define MAY_COMPACT 1
#else
#define MAY_COMPACT (!compactionLock)
#endif

/* What a process does under the lock after it has read everything. */
#define AFTER_READING (self.isUnsettled -> settles : (self.isWriting -> writes : releases))

proctype Postern(byte id) {
end:
    do
    :: atomic {
        if
        /* StoreDirectory.open, StoreFiles.removeOrphans */
        :: d_step { self.step == closed && !lock ->
            takeLock();
            self.isOpening = 1;
            self.step = findsOrphans
          }
        :: d_step { self.step == findsOrphans ->
#ifdef MUTANT_NAMES_NOT_SYNCED_WHEN_OPENED
            self.step = (HAS_EARLIER || HAS_LATER -> takesCompactionLock : opens)
#else
            self.step = (HAS_EARLIER -> syncsNames : (HAS_LATER -> takesCompactionLock : opens))
#endif
          }
        :: d_step { self.step == syncsNames && !self.failsToSync -> syncNames(); self.step = takesCompactionLock }
        :: d_step { self.step == takesCompactionLock && !compactionLock ->
            compactionLock = 1;
            self.holdsCompactionLock = 1;
#ifdef MUTANT_NOT_INSTALLED_AGAIN
            self.step = removesOrphans
#else
            self.step = (HAS_EARLIER -> writesAgain : removesOrphans)
#endif
          }
        :: d_step { self.step == takesCompactionLock && compactionLock ->
#ifdef MUTANT_ORPHANS_REMOVED_DURING_COMPACTION
            self.step = removesOrphans
#else
#ifdef MUTANT_NOT_INSTALLED_AGAIN_DURING_COMPACTION
            self.step = opens
#else
            self.step = (HAS_EARLIER -> writesAgain : opens)
#endif
#endif
          }
        :: d_step { self.step == writesAgain -> isTemporaryOnDisk = 1; self.step = syncsAgain }
        /* The disk is full: the store is opened to be read. */
        :: d_step { self.step == writesAgain && fullDisks > 0 ->
            fullDisks--;
            releaseCompactionLock();
            self.epoch = manifest;
            self.known = has[manifest];
            self.isUnsettled = 1;
            self.isOpening = 0;
            releaseLock();
            self.step = idle
          }
        :: d_step { self.step == syncsAgain && !self.failsToSync -> syncNames(); self.step = renamesAgain }
        :: d_step { self.step == renamesAgain -> rename(manifest); self.step = syncsRenamedAgain }
        :: d_step { self.step == syncsRenamedAgain && !self.failsToSync ->
            syncNames();
            self.step = (self.holdsCompactionLock -> removesOrphans : opens)
          }
        :: d_step { self.step == removesOrphans ->
            do
            :: i <= EPOCHS -> isNamed[i] = isNamed[i] && i == manifest; i++
            :: else -> i = 0; break
            od;
            releaseCompactionLock();
            self.step = opens
          }
        :: d_step { self.step == opens ->
            /* The files that the manifest names exist and are whole. */
            PROMISE(looksDamaged, isNamed[manifest] && IN(BASE, has[manifest]));
            PROMISE(lost, IN(acknowledged, has[manifest]));
            self.epoch = manifest;
            self.known = has[manifest];
            self.step = settles
          }
        /* Journal.settle */
        :: d_step { self.step == settles ->
            hasOnDisk[self.epoch] = has[self.epoch];
            self.isUnsettled = 0;
            self.step = (self.isWriting -> writes : releases)
          }

        /* LocalEngine.read, StoreDirectory.refresh */
        :: d_step { self.step == idle && !HAS_NEWS ->
            self.groups--;
            /* A read sees every acknowledged transaction. */
            PROMISE(stale, IN(acknowledged, self.known));
            self.step = syncs
          }
        :: d_step { self.step == idle && HAS_NEWS && !lock -> self.groups--; takeLock(); self.step = looksUnderLock }
        /* LocalEngine.write, StoreDirectory.beginWriting */
        :: d_step { self.step == idle && commits < COMMITS && !lock ->
            self.groups--;
            takeLock();
            self.isWriting = 1;
#ifdef MUTANT_EPOCH_NOT_CHECKED_UNDER_THE_LOCK
            self.step = writes
#else
            self.step = looksUnderLock
#endif
          }
        /* StoreDirectory.catchUp */
        :: d_step { self.step == looksUnderLock && manifest != self.epoch ->
#ifdef MUTANT_FOLLOWED_WITHOUT_SYNC
            self.step = reads
#else
            self.step = follows
#endif
          }
        :: d_step { self.step == looksUnderLock && manifest == self.epoch ->
            PROMISE(looksDamaged, isNamed[self.epoch]);
            self.known = has[self.epoch];
            self.step = AFTER_READING
          }
        /* StoreDirectory.follow */
        :: d_step { self.step == follows && !self.failsToSync -> syncNames(); self.step = reads }
        :: d_step { self.step == reads ->
            PROMISE(looksDamaged, isNamed[manifest] && IN(BASE, has[manifest]));
            PROMISE(lost, IN(acknowledged, has[manifest]));
            self.epoch = manifest;
            self.known = has[manifest];
            self.isUnsettled = 1;
            self.step = AFTER_READING
          }
        /* Journal.write */
        :: d_step { self.step == writes && commits < COMMITS ->
            /* No process writes to an old journal. */
            PROMISE(writtenToOldJournal, self.epoch == manifest);
            has[self.epoch] = has[self.epoch] | 1 << commits;
            self.known = has[self.epoch];
            commits++;
            self.step = releases
          }
        :: d_step { self.step == releases ->
            releaseLock();
            if
            :: self.isOpening -> self.isOpening = 0; self.step = idle
            :: else -> self.step = syncs
            fi
          }
        /* Journal.sync, and the replies */
        :: d_step { self.step == syncs ->
            hasOnDisk[self.epoch] = hasOnDisk[self.epoch] | self.known;
            acknowledged = acknowledged | (self.known & ~BASE);
            /* Whichever manifest a power cut leaves, it has what was acknowledged. */
            PROMISE(toldTooEarly, IN(acknowledged, hasOnDisk[manifest] & hasOnDisk[manifestOnDisk]));
            endGroup()
          }

        /* Compaction.outcome, NextEpoch */
        :: d_step { self.step == idle && next <= EPOCHS && !self.isUnsettled && MAY_COMPACT ->
            self.groups--;
            compactionLock = 1;
            self.holdsCompactionLock = 1;
#ifdef MUTANT_MANIFEST_NOT_CHECKED
            self.step = creates
#else
            self.step = checksManifest
#endif
          }
        :: d_step { self.step == checksManifest ->
            self.step = (manifest == self.epoch -> creates : releasesCompactionLock)
          }
        :: d_step { self.step == creates ->
            isNamed[next] = 1;
            has[next] = 0;
            hasOnDisk[next] = 0;
            self.step = writesBase
          }
        :: d_step { self.step == writesBase ->
            has[next] = has[next] | self.known;
            hasOnDisk[next] = has[next];
            self.step = takesOver
          }
        /* The disk is full, or the compaction is cancelled. */
        :: d_step { self.step == writesBase -> self.step = removesFiles }
        :: d_step { self.step == takesOver && !lock ->
            takeLock();
#ifdef MUTANT_LAST_LINES_NOT_CARRIED
            self.step = syncsJournal
#else
            self.step = carries
#endif
          }
        :: d_step { self.step == carries -> has[next] = has[next] | has[self.epoch]; self.step = syncsJournal }
        :: d_step { self.step == syncsJournal ->
#ifndef MUTANT_NEW_JOURNAL_NOT_SYNCED
            hasOnDisk[next] = has[next];
#endif
            self.step = writesTemporary
          }
        :: d_step { self.step == writesTemporary ->
#ifndef MUTANT_TEMPORARY_NOT_SYNCED
            isTemporaryOnDisk = 1;
#endif
#ifdef MUTANT_NEW_NAMES_NOT_SYNCED
            self.step = renames
#else
            self.step = syncsFiles
#endif
          }
        :: d_step { self.step == syncsFiles && !self.failsToSync -> syncNames(); self.step = renames }
        :: d_step { self.step == syncsFiles && SYNC_FAILS -> failToSyncNames(); self.step = releasesTaken }
        :: d_step { self.step == renames ->
            rename(next);
#ifdef MUTANT_REMOVED_BEFORE_THE_SYNC
            self.step = removesOld
#else
            self.step = syncsManifest
#endif
          }
        :: d_step { self.step == syncsManifest && !self.failsToSync ->
            syncNames();
#ifdef MUTANT_REMOVED_BEFORE_THE_SYNC
            self.hasInstalled = 1;
            self.step = releasesTaken
#else
            self.step = removesOld
#endif
          }
        :: d_step { self.step == syncsManifest && SYNC_FAILS -> failToSyncNames(); self.step = releasesTaken }
        :: d_step { self.step == removesOld ->
            isNamed[self.epoch] = 0;
#ifdef MUTANT_REMOVED_BEFORE_THE_SYNC
            self.step = syncsManifest
#else
            self.hasInstalled = 1;
            self.step = releasesTaken
#endif
          }
        :: d_step { self.step == releasesTaken ->
            releaseLock();
            self.step = (self.hasInstalled -> releasesCompactionLock : removesFiles)
          }
        :: d_step { self.step == removesFiles ->
            isNamed[next] = isNamed[next] && manifest != self.epoch;
            self.step = releasesCompactionLock
          }
        :: d_step { self.step == releasesCompactionLock ->
            releaseCompactionLock();
            if
            :: self.hasInstalled && manifest == next -> self.epoch = manifest; self.known = has[manifest]
            :: else
            fi;
            endGroup()
          }

        /* A failed sync of the directory: `Directory.sync` throws from now on, so the process is started again. */
        :: d_step { self.failsToSync && (self.step == syncsNames || self.step == syncsAgain ||
            self.step == syncsRenamedAgain || self.step == follows) -> self.step = dies }
        /* kill -9 */
        :: d_step { kills > 0 && IS_RUNNING(self.step) -> kills--; self.step = dies }
        /* The system releases the locks one after the other. */
        :: d_step { self.step == dies && self.holdsLock -> releaseLock() }
        :: d_step { self.step == dies && self.holdsCompactionLock -> releaseCompactionLock() }
        :: d_step { self.step == dies && !self.holdsLock && !self.holdsCompactionLock -> restart(id) }
        fi;
        sort()
      }
    od
}

proctype PowerCut() {
end:
    do
    :: atomic { cuts > 0 ->
        cuts--;
        /* Each change that was not synced survives or not. */
        if
        :: true
        :: !isRenameDropped -> manifestOnDisk = manifest
        fi;
        i = 1;
        do
        :: i <= EPOCHS ->
            if
            :: true
            :: isNamedOnDisk[i] != isNamed[i] -> isNamedOnDisk[i] = isNamed[i]
            fi;
            if
            :: true
            :: hasOnDisk[i] != has[i] -> hasOnDisk[i] = has[i]
            fi;
            i++
        :: else -> i = 0; break
        od;
        d_step {
            /* The manifest has its text, and the files that it names exist and are whole. */
            PROMISE(looksDamaged, isTextOnDisk || manifestOnDisk != manifest);
            manifest = manifestOnDisk;
            isTextOnDisk = 1;
            isTemporaryOnDisk = 0;
            isRenameDropped = 0;
            PROMISE(looksDamaged, isNamedOnDisk[manifest] && IN(BASE, hasOnDisk[manifest]));
            /* No acknowledged transaction is lost. */
            PROMISE(lost, IN(acknowledged, hasOnDisk[manifest]));
            do
            :: i <= EPOCHS ->
                isNamed[i] = isNamedOnDisk[i];
                has[i] = hasOnDisk[i];
                i++
            :: else -> i = 0; break
            od;
            lock = 0;
            compactionLock = 0;
            do
            :: i < PROCESSES -> process[i].groups = 0; restart(i); i++
            :: else -> i = 0; break
            od;
            sort()
        }
      }
    od
}

init {
    atomic {
        isNamed[1] = 1;
        isNamedOnDisk[1] = 1;
        has[1] = BASE;
        hasOnDisk[1] = BASE;
        do
        :: i < PROCESSES ->
            process[i].groups = GROUPS;
            process[i].step = idle;
            process[i].epoch = 1;
            process[i].known = BASE;
            run Postern(i);
            i++
        :: else -> i = 0; break
        od;
        run PowerCut()
    };
    /* No process is blocked for ever. */
end:
    timeout;
    d_step {
        do
        :: i < PROCESSES -> PROMISE(blocked, process[i].step == ended); i++
        :: else -> break
        od
    }
}
