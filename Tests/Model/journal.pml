/* One epoch of a directory: processes append to its journal, sync it for each other, read what others have written, and
 * acknowledge. Between any two steps a process may be killed or stopped, and the power may be cut. A step is one system
 * call, or one access to the memory that the processes share.
 *
 * README.md has the Swift name of each step and word, what is left out, the flags of each run, and the mutants: a macro
 * MUTANT_… takes a protection out.
 *
 * Transactions have numbers from 1, and a length is the number of the last one. Bit n - 1 of `dirty` and of `onDisk`
 * belongs to transaction n.
 */

#ifndef PROCESSES
#define PROCESSES 3
#endif
/* The most transactions that are written, and how many groups of requests a process executes. */
#ifndef LINES
#define LINES 2
#endif
#ifndef GROUPS
#define GROUPS 1
#endif
/* The most faults of each kind. */
#ifndef KILLS
#define KILLS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef CUTS
#define CUTS 0
#endif
#ifndef FAILED_SYNCS
#define FAILED_SYNCS 0
#endif
#ifndef FULL_DISKS
#define FULL_DISKS 0
#endif
/* How often a process waits for a sync before it makes its own. */
#ifndef PATIENCE
#define PATIENCE 1
#endif

/* A promise, and the name of its violation, which is never true: the checker prints it. */
#define PROMISE(violation, condition) assert((condition) || violation)
hidden byte lost, toldTooEarly, stale, looksDamaged, overwritten, blocked;

#define UPTO(length) ((1 << (length)) - 1)
#define ARE_DURABLE(length) ((onDisk & UPTO(length)) == UPTO(length))
#define SMALLER(a, b) ((a) < (b) -> (a) : (b))
#define GREATER(a, b) ((a) > (b) -> (a) : (b))

/* What a process does next. */
mtype = {
    closed, idle, ended, stopped,
    opens, cutsTornTail, endsCutSync, settles, endsSettledSync, resetsWritten, resetsSynced,
    takesLockToRead, looksUnderLock, catchesUp, writes, endsWrite, notesWritten, releases,
    loadsSyncs, loadsSynced, takesSyncLock, waits, sleeps, syncsAlone, endsSyncAlone,
    syncsForAll, endsSyncForAll, storesSynced, releasesSyncLock, countsSync, wakes
};

typedef Process {
    mtype step;
    byte groups;
    bit isOpening, isWriting, isUnsettled;
    bit holdsLock, holdsSyncLock;
    byte length, durable;
    bit hasFailed;
    bit isReported;            /* the next sync of this open file reports a failure of an earlier one */
    byte syncsSeen, patience;
    byte syncsAtTimeout;       /* one more than the value; 0 for none */
    byte mark;                 /* the value of `written` that becomes `synced` */
    byte reached               /* the lines that were in the file when the sync began */
};

Process process[PROCESSES];
#define self process[id]

/* The file journal-N.jsonl: its whole lines, whether a part of another line follows, and `d` of each line. */
byte lines;
bit torn;
byte d[LINES + 1];
/* The lines that only memory has, and those on the disk. A line that is neither was dropped by a failed sync. */
byte dirty, onDisk;

/* Whether a process holds the lock on the file lock, and on lock.sync; whether the first is held by a stopped one. */
bit lock, syncLock, isHolderStopped;
/* The words of lock.sync. */
byte written, synced, syncs;

/* The longest journal on which a reply has depended. */
byte acknowledged;

byte kills = KILLS, stops = STOPS, cuts = CUTS, failedSyncs = FAILED_SYNCS, fullDisks = FULL_DISKS;
/* A loop variable, 0 between steps. */
byte i;

#define HAS_NEWS (lines > self.length || torn || written > self.length)
#define IS_RUNNING (self.step != closed && self.step != ended && self.step != stopped)
#ifdef SYNCER_IS_SPARED
#define MAY_BE_KILLED (!self.holdsSyncLock && self.step != countsSync && self.step != wakes)
#else
#define MAY_BE_KILLED 1
#endif
/* A sync may fail if it has something to write: lines, or the new length after a torn tail was cut. */
#define HAS_TO_WRITE ((dirty & UPTO(self.reached)) || self.step == endsCutSync)
#define FAILS (self.isReported || (failedSyncs > 0 && HAS_TO_WRITE))

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
    process[p].isOpening = 0; process[p].isWriting = 0; process[p].isUnsettled = 0;
    process[p].holdsLock = 0; process[p].holdsSyncLock = 0;
    process[p].length = 0; process[p].durable = 0;
    process[p].hasFailed = 0; process[p].isReported = 0;
    process[p].syncsSeen = 0; process[p].patience = 0; process[p].syncsAtTimeout = 0;
    process[p].mark = 0; process[p].reached = 0
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

inline endGroup() {
    self.isWriting = 0;
    self.syncsSeen = 0; self.patience = 0; self.mark = 0; self.reached = 0;
    if
    :: self.hasFailed -> restart(id)
    :: !self.hasFailed && self.groups > 0 -> self.step = idle
    :: !self.hasFailed && self.groups == 0 -> forget(id); self.step = ended
    fi
}

inline acknowledge() {
    /* No reply leaves before what it depends on is durable. */
    PROMISE(toldTooEarly, ARE_DURABLE(self.length));
    acknowledged = GREATER(acknowledged, self.length);
    endGroup()
}

#ifdef MUTANT_ACKNOWLEDGED_WITHOUT_SYNC
#define NEEDS_SYNC 0
#else
#ifdef MUTANT_READ_WITHOUT_SYNC
#define NEEDS_SYNC (self.isWriting && self.durable < self.length)
#else
#define NEEDS_SYNC (self.durable < self.length)
#endif
#endif

inline makeDurable() {
    if
    :: self.hasFailed -> endGroup()
    :: !self.hasFailed && NEEDS_SYNC -> self.patience = PATIENCE; self.step = loadsSyncs
    :: !self.hasFailed && !NEEDS_SYNC -> acknowledge()
    fi
}

inline beginSync() { self.reached = lines }

inline endSync() {
    onDisk = onDisk | (dirty & UPTO(self.reached));
    dirty = dirty & ~UPTO(self.reached);
    self.reached = 0
}

/* The system drops what it could not write, and takes it for written. It reports that once for each open file. */
inline failSync() {
    if
    :: !self.isReported ->
        failedSyncs--;
        dirty = dirty & ~UPTO(self.reached);
        do
        :: i < PROCESSES ->
            process[i].isReported = process[i].step != closed && process[i].step != ended;
            i++
        :: else -> i = 0; break
        od
    :: else
    fi;
    self.isReported = 0;
    self.reached = 0;
    self.hasFailed = 1
}

/* Whether the process reads on under the lock. If `torn` is true, it removes the torn tail first. */
#ifdef MUTANT_TORN_TAIL_NOT_CUT
#define TAIL_OR(next) next
#else
#define TAIL_OR(next) (torn -> cutsTornTail : next)
#endif
#define AFTER_SETTLING (self.isWriting -> writes : releases)
#define AFTER_CATCHING_UP (self.isUnsettled -> settles : AFTER_SETTLING)

#ifdef MUTANT_WOKEN_BEFORE_THE_RELEASE
#define AFTER_SYNC countsSync
#else
#define AFTER_SYNC releasesSyncLock
#endif

proctype Postern(byte id) {
end:
    do
    :: atomic {
        if
        /* StoreDirectory.open */
        :: d_step { self.step == closed && !lock ->
            takeLock();
            self.isOpening = 1;
            self.isUnsettled = 1;
            self.groups--;
            self.step = opens
          }
        :: d_step { self.step == closed && isHolderStopped -> self.groups = 0; self.step = ended }
        :: d_step { self.step == opens ->
            /* A kill loses nothing, and no kill or power cut makes the store look damaged. */
            PROMISE(lost, lines >= acknowledged);
            PROMISE(looksDamaged, lines >= synced);
#ifdef MUTANT_UNCONFIRMED_LINES_REMOVED
            lines = d[lines];
            dirty = dirty & UPTO(lines);
            onDisk = onDisk & UPTO(lines);
#endif
            self.length = lines;
            self.durable = d[lines];
            self.step = TAIL_OR(settles)
          }
        /* StoreDirectory.setAside */
        :: d_step { self.step == cutsTornTail -> torn = 0; beginSync(); self.step = endsCutSync }
        :: d_step { self.step == endsCutSync && !self.isReported ->
            endSync();
            self.durable = self.length;
            self.step = AFTER_CATCHING_UP
          }
        :: d_step { self.step == endsCutSync && FAILS -> failSync(); self.step = releases }
        /* Journal.settle */
        :: d_step { self.step == settles ->
#ifndef MUTANT_NOT_WRITTEN_AGAIN
            dirty = dirty | (UPTO(self.length) & ~UPTO(self.durable));
#endif
            beginSync();
            self.step = endsSettledSync
          }
        :: d_step { self.step == endsSettledSync && !self.isReported ->
            endSync();
            self.durable = self.length;
            self.isUnsettled = 0;
#ifdef MUTANT_MARKS_NOT_RESET
            self.step = AFTER_SETTLING
#else
            self.step = resetsWritten
#endif
          }
        :: d_step { self.step == endsSettledSync && FAILS -> failSync(); self.step = releases }
        :: d_step { self.step == resetsWritten -> written = self.length; self.step = resetsSynced }
        :: d_step { self.step == resetsSynced -> synced = self.length; self.step = AFTER_SETTLING }
        /* The disk is full. A process that has opened the directory, or reads, goes on: Journal.resetMarks */
        :: d_step { (self.step == cutsTornTail || self.step == settles) && fullDisks > 0 ->
            fullDisks--;
            if
            :: self.isOpening ->
#ifdef MUTANT_READ_LINES_NOT_NOTED_ON_A_FULL_DISK
                written = self.durable;
#else
                written = self.length;
#endif
                synced = self.durable
            :: else
            fi;
            self.isWriting = 0;
            self.step = releases
          }

        /* LocalEngine.read, StoreDirectory.refresh */
        :: d_step { self.step == idle && !HAS_NEWS ->
            self.groups--;
            /* A read sees every acknowledged transaction. */
            PROMISE(stale, self.length >= acknowledged);
            makeDurable()
          }
        :: d_step { self.step == idle && HAS_NEWS -> self.groups--; self.step = takesLockToRead }
        :: d_step { self.step == takesLockToRead && !lock -> takeLock(); self.step = catchesUp }
        /* The wait for the lock is over: Journal.readWhole */
        :: d_step { self.step == takesLockToRead && lock ->
#ifdef MUTANT_READ_TO_THE_END_WITHOUT_THE_LOCK
            PROMISE(overwritten, !torn);
            self.length = lines;
#else
            self.length = GREATER(self.length, written);
#endif
            PROMISE(looksDamaged, self.length <= lines);
            self.durable = GREATER(self.durable, SMALLER(synced, self.length));
            PROMISE(stale, self.length >= acknowledged);
            makeDurable()
          }
        /* StoreDirectory.catchUp, Journal.readNews */
        :: d_step { self.step == catchesUp ->
            /* No process removes a line that another has read. */
            PROMISE(overwritten, lines >= self.length);
            self.length = lines;
            self.durable = GREATER(self.durable, d[lines]);
            self.durable = GREATER(self.durable, SMALLER(synced, self.length));
#ifndef MUTANT_READ_LINES_NOT_NOTED
            written = GREATER(written, self.length);
#endif
            self.step = TAIL_OR(AFTER_CATCHING_UP)
          }

        /* LocalEngine.write, StoreDirectory.beginWriting */
        :: d_step { self.step == idle && lines < LINES && !lock ->
            self.groups--;
            self.isWriting = 1;
            takeLock();
#ifdef MUTANT_NOT_REFRESHED_UNDER_THE_LOCK
            self.step = writes
#else
            self.step = looksUnderLock
#endif
          }
        :: d_step { self.step == looksUnderLock -> self.step = (HAS_NEWS || self.isUnsettled -> catchesUp : writes) }
        /* Journal.write */
        :: d_step { self.step == writes && lines < LINES ->
            /* A write replaces no line, and goes to the end of the file. */
            PROMISE(overwritten, self.length == lines && !torn);
            torn = 1;
#ifdef MUTANT_NOTED_BEFORE_THE_WRITE
            written = self.length + 1;
#endif
#ifdef MUTANT_RELEASED_BEFORE_THE_WRITE
            releaseLock();
#endif
            self.step = endsWrite
          }
        :: d_step { self.step == endsWrite ->
            torn = 0;
            lines++;
            dirty = dirty | 1 << (lines - 1);
#ifdef MUTANT_UNSYNCED_LENGTH_IN_THE_LINE
            d[lines] = self.length;
#else
            d[lines] = self.durable;
#endif
            /* Otherwise a journal after a power cut may be refused as damaged. */
            PROMISE(looksDamaged, ARE_DURABLE(d[lines]));
            self.length = lines;
            self.step = notesWritten
          }
        :: d_step { self.step == notesWritten -> written = self.length; self.step = releases }
        :: d_step { self.step == releases ->
            releaseLock();
            if
            :: self.isOpening && !self.hasFailed -> self.isOpening = 0; self.groups++; self.step = idle
            :: self.isOpening && self.hasFailed -> restart(id)
            :: !self.isOpening -> makeDurable()
            fi
          }

        /* SyncMarks.sync */
        :: d_step { self.step == loadsSyncs -> self.syncsSeen = syncs; self.step = loadsSynced }
        :: d_step { self.step == loadsSynced && synced >= self.length -> self.durable = self.length; acknowledge() }
        :: d_step { self.step == loadsSynced && synced < self.length -> self.step = takesSyncLock }
        :: d_step { self.step == takesSyncLock && !syncLock ->
            syncLock = 1;
            self.holdsSyncLock = 1;
            self.step = syncsForAll
          }
        :: d_step { self.step == takesSyncLock && syncLock ->
            if
            :: self.patience > 0 && self.syncsSeen + 1 != self.syncsAtTimeout -> self.step = waits
            :: else -> self.syncsAtTimeout = self.syncsSeen + 1; self.step = syncsAlone
            fi
          }
        :: d_step { self.step == waits ->
#ifdef MUTANT_WAITS_FOR_THE_LATEST
            self.syncsSeen = syncs;
#endif
            if
            :: syncs == self.syncsSeen -> self.step = sleeps
            :: else -> self.patience--; self.step = loadsSyncs
            fi
          }
#if !defined(WITHOUT_TIMEOUT) && !defined(MUTANT_NO_TIMEOUT)
        :: d_step { self.step == sleeps -> self.patience--; self.step = loadsSyncs }
#endif
        :: d_step { self.step == syncsAlone -> beginSync(); self.step = endsSyncAlone }
        :: d_step { self.step == endsSyncAlone && !self.isReported ->
            endSync();
            self.mark = self.length;
            self.step = storesSynced
          }
        :: d_step { self.step == endsSyncAlone && FAILS -> failSync(); endGroup() }
        :: d_step { self.step == syncsForAll ->
            beginSync();
            self.mark = GREATER(self.length, written);
#ifdef MUTANT_SYNCED_STORED_BEFORE_THE_SYNC
            synced = self.mark;
#endif
            self.step = endsSyncForAll
          }
        :: d_step { self.step == endsSyncForAll && !self.isReported ->
            endSync();
#ifdef MUTANT_WRITTEN_LOADED_AFTER_THE_SYNC
            self.mark = GREATER(self.length, written);
#endif
            self.step = storesSynced
          }
        :: d_step { self.step == endsSyncForAll && FAILS ->
            failSync();
#ifdef MUTANT_FAILED_SYNC_REPEATED
            self.hasFailed = 0;
            self.step = syncsForAll
#else
            self.step = AFTER_SYNC
#endif
          }
        :: d_step { self.step == storesSynced ->
            synced = GREATER(synced, self.mark);
            self.mark = 0;
            self.durable = self.length;
            if
            :: self.holdsSyncLock -> self.step = AFTER_SYNC
            :: else -> acknowledge()
            fi
          }
        :: d_step { self.step == releasesSyncLock ->
            syncLock = 0;
            self.holdsSyncLock = 0;
#ifdef MUTANT_WOKEN_BEFORE_THE_RELEASE
            makeDurable()
#else
            self.step = countsSync
#endif
          }
        :: d_step { self.step == countsSync -> syncs++; self.step = wakes }
        :: d_step { self.step == wakes ->
#ifndef MUTANT_NO_WAKE
            do
            :: i < PROCESSES ->
                if
                :: process[i].step == sleeps -> process[i].patience--; process[i].step = loadsSyncs
                :: else
                fi;
                i++
            :: else -> i = 0; break
            od;
#endif
#ifdef MUTANT_WOKEN_BEFORE_THE_RELEASE
            self.step = releasesSyncLock
#else
            makeDurable()
#endif
          }

        /* kill -9: the system releases the locks, and the shared words stay. */
        :: d_step { kills > 0 && IS_RUNNING && MAY_BE_KILLED ->
            kills--;
            releaseLock();
            syncLock = syncLock && !self.holdsSyncLock;
            restart(id)
          }
        /* kill -STOP: the locks stay. */
        :: d_step { stops > 0 && IS_RUNNING ->
            stops--;
            isHolderStopped = isHolderStopped || self.holdsLock;
            self.step = stopped
          }
        fi;
        sort()
      }
    od
}

proctype PowerCut() {
    bit keepsWritten, keepsSynced, tears;
end:
    do
    :: atomic { cuts > 0 ->
        cuts--;
        /* Any part of what was not synced survives. Whole lines after a missing one are a torn tail. */
        i = 0;
        do
        :: i < lines ->
            if
            :: dirty & (1 << i) -> onDisk = onDisk | 1 << i
            :: true
            fi;
            i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < lines && (onDisk & (1 << i)) -> i++
        :: else -> break
        od;
        /* A word has its last value or an earlier one. */
        if
        :: keepsWritten = 1
        :: written > 0 -> keepsWritten = 0
        fi;
        if
        :: keepsSynced = 1
        :: synced > 0 -> keepsSynced = 0
        fi;
        if
        :: tears = 1
        :: i == lines -> tears = 0
        fi;
        d_step {
            /* No acknowledged transaction is lost. */
            PROMISE(lost, i >= acknowledged);
            written = (keepsWritten -> written : 0);
            synced = (keepsSynced -> synced : 0);
            syncs = 0;
            torn = tears;
            lines = i;
            dirty = 0;
            onDisk = UPTO(lines);
            lock = 0;
            syncLock = 0;
            isHolderStopped = 0;
            i = LINES;
            do
            :: i > lines -> d[i] = 0; i--
            :: else -> i = 0; break
            od;
            do
            :: i < PROCESSES -> process[i].groups = 0; restart(i); i++
            :: else -> i = 0; break
            od;
            keepsWritten = 0; keepsSynced = 0; tears = 0;
            sort()
        }
      }
    od
}

init {
    atomic {
        do
        :: i < PROCESSES ->
            process[i].groups = GROUPS;
            process[i].step = idle;
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
        :: i < PROCESSES ->
            PROMISE(blocked, process[i].step == ended || process[i].step == stopped);
            i++
        :: else -> break
        od
    }
}
