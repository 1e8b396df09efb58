/* A transaction on PostgreSQL: `PostgresEngine` runs it, loses its connection at any step, settles the outcome, and runs
 * it again. The server may crash, and a standby may take its place. Messages may arrive late, in part, or not at all.
 *
 * README.md has the Swift name of each step and word, what is left out, the flags of each run, and the mutants: a macro
 * MUTANT_… takes a protection out.
 *
 * Each run has an id of its own, its number from 0. What it commits has a place in the server's log from 1; the standby
 * has the log up to `confirmed`.
 */

/* How often the closure runs, and how often each run is settled. */
#ifndef RUNS
#define RUNS 3
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
/* The most faults of each kind. */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef FAILOVERS
#define FAILOVERS 1
#endif

/* A promise, and the name of its violation, which is never true: the checker prints it. */
#define PROMISE(violation, condition) assert((condition) || violation)
hidden byte doubled, lost, committedAfterAll, unknownInVain;

/* What the client does next, and what it has reported. */
mtype = {
    starts, awaits, settles, awaitsSettlement, dead,
    succeeded, failed, unknown
};
/* What the server does with a group of statements next. */
mtype = { absent, sent, executes, waits, answered };
/* The row of postern.commits with the id of a run, as committed. */
mtype = { none, mark, fence };
/* What the server answers. */
mtype = { nothing, committed, refused, warned, isFenced, isMarked };

mtype client = starts;
byte current, attempt;
/* By run: its group with the writes, the mark and COMMIT. */
mtype group[RUNS] = absent, answer[RUNS] = nothing;
mtype row[RUNS] = none;
/* The places of the run's writes and of its row in the log; 0 for those that are not committed. */
byte writesPlace[RUNS], rowPlace[RUNS];

/* By attempt to settle the current run or an earlier one: its group with the fence and COMMIT. */
#define SETTLEMENTS (RUNS * ATTEMPTS)
mtype settlement[SETTLEMENTS] = absent, settled[SETTLEMENTS] = nothing;
byte settlementPlace[SETTLEMENTS];
#define settling (current * ATTEMPTS + attempt)

byte log, confirmed;
byte crashes = CRASHES, failovers = FAILOVERS;
/* By run: 1 if its id is older than half the retention, 2 if it is older than the retention. */
byte age[RUNS];
/* A loop variable and a sum, 0 between steps. */
byte i, count;

inline countCommitted() {
    count = 0;
    i = 0;
    do
    :: i < RUNS -> count = count + (writesPlace[i] > 0); i++
    :: else -> break
    od;
    i = 0;
    /* The transaction takes effect at most once, and exactly once or not at all if that was reported. */
    PROMISE(doubled, count <= 1);
    PROMISE(lost, client != succeeded || count == 1);
    PROMISE(committedAfterAll, client != failed || count == 0);
    count = 0
}

inline report(outcome) { client = outcome; countCommitted() }

#define ANSWER (group[current] == answered -> answer[current] : nothing)
#define SETTLED (settlement[settling] == answered -> settled[settling] : nothing)

/* No outcome is unknown if it can be known. */
inline reportUnknown() {
    PROMISE(unknownInVain, ANSWER == warned || SETTLED == warned || SETTLED == isFenced && age[current] > 0 ||
        client == awaitsSettlement && attempt == ATTEMPTS - 1);
    report(unknown)
}

/* The client takes no answer to what it has sent any more. */
inline disconnect() { answer[current] = nothing; settled[settling] = nothing }

/* The closure runs again, under a new id. */
inline runAgain() {
    disconnect();
    if
    :: current + 1 < RUNS -> current++; attempt = 0; client = starts
    :: else -> report(failed)
    fi
}

proctype PostgresEngine() {
end:
    do
    /* PostgresEngine.commit */
    :: d_step { client == starts -> group[current] = sent; client = awaits }
    /* Before COMMIT was sent, the connection is lost or the time is over. */
    :: d_step { client == starts -> runAgain() }
    :: d_step { client == awaits && ANSWER == committed -> report(succeeded) }
    :: d_step { client == awaits && ANSWER == refused -> runAgain() }
    :: d_step { client == awaits && ANSWER == warned ->
#ifdef MUTANT_WARNING_IGNORED
        report(succeeded)
#else
        reportUnknown()
#endif
      }
    /* The connection is lost, or the time is over. */
    :: d_step { client == awaits ->
#ifdef MUTANT_NOT_SETTLED
        runAgain()
#else
#ifdef MUTANT_UNKNOWN_WITHOUT_ASKING
        reportUnknown()
#else
        client = settles
#endif
#endif
      }
    /* PostgresEngine.settle */
    :: d_step { client == settles -> settlement[settling] = sent; client = awaitsSettlement }
    :: d_step { client == awaitsSettlement && SETTLED == isMarked ->
#ifdef MUTANT_MARK_TAKEN_FOR_FENCE
        runAgain()
#else
        report(succeeded)
#endif
      }
    :: d_step { client == awaitsSettlement && SETTLED == isFenced ->
        if
#ifndef MUTANT_AGE_IGNORED
        :: age[current] > 0 -> reportUnknown()
        :: age[current] == 0 -> runAgain()
#else
        :: true -> runAgain()
#endif
        fi
      }
    :: d_step { client == awaitsSettlement && SETTLED == warned -> reportUnknown() }
    /* The connection is lost, or the server refuses. */
    :: d_step { client == awaitsSettlement ->
        if
        :: attempt + 1 < ATTEMPTS -> disconnect(); attempt++; client = settles
        :: else -> reportUnknown()
        fi
      }
    /* kill -9 */
    :: d_step { client == starts || client == awaits || client == settles || client == awaitsSettlement ->
        client = dead
      }
    od
}

/* An answer reaches a client that still waits for it. */
inline endGroup(outcome) {
    group[id] = answered;
    answer[id] = (client == awaits && current == id -> outcome : nothing)
}

inline endSettlement(outcome) {
    settlement[number] = answered;
    settled[number] = (client == awaitsSettlement && settling == number -> outcome : nothing);
    settlementPlace[number] = 0
}

#define IS_UNDER_WAY(id) (group[id] == sent || group[id] == executes)

proctype Backend(byte id) {
end:
    do
    /* Statements.mark: it has the key of a fence, so the server refuses it. */
    :: d_step { group[id] == sent && row[id] == fence -> endGroup(refused) }
    :: d_step { group[id] == sent && row[id] == none ->
#ifdef MUTANT_MARK_IN_ANOTHER_TRANSACTION
        log++;
        row[id] = mark;
        rowPlace[id] = log;
#endif
        group[id] = executes
      }
    /* Statements.commit: the writes and the mark. */
    :: d_step { group[id] == executes ->
        log++;
        row[id] = mark;
        rowPlace[id] = log;
        writesPlace[id] = log;
        group[id] = waits;
        countCommitted()
      }
    :: d_step { group[id] == waits && writesPlace[id] <= confirmed -> endGroup(committed) }
    /* An administrator cancels the wait for the standby. */
    :: d_step { group[id] == waits && writesPlace[id] > confirmed -> endGroup(warned) }
    /* A conflict with another transaction, or the server cancels the statement. */
    :: d_step { IS_UNDER_WAY(id) -> endGroup(refused) }
    /* The rest of the group never arrives, and the server notices it. */
    :: d_step { IS_UNDER_WAY(id) && (client != awaits || current != id) -> endGroup(nothing) }
    od
}

/* A settlement of the run `id`. */
proctype Settlement(byte id; byte number) {
end:
    do
    /* Statements.fence: it waits for a transaction that has inserted the mark and not ended. */
    :: d_step { settlement[number] == sent && row[id] == none && group[id] != executes ->
#ifdef MUTANT_LOOKED_UP_WITHOUT_FENCE
        endSettlement(isFenced)
#else
        row[id] = fence;
        log++;
        rowPlace[id] = log;
        settlementPlace[number] = log;
        settled[number] = isFenced;
        settlement[number] = waits
#endif
      }
    /* Statements.isFenced, Statements.touch */
    :: d_step { settlement[number] == sent && row[id] != none ->
#ifdef MUTANT_FENCE_REPLACES_THE_MARK
        row[id] = fence;
#endif
        settled[number] = (row[id] == mark -> isMarked : isFenced);
#ifndef MUTANT_NOT_TOUCHED
        log++;
        settlementPlace[number] = log;
#endif
        settlement[number] = waits
      }
    :: d_step { settlement[number] == waits && settlementPlace[number] <= confirmed ->
        endSettlement(settled[number])
      }
    :: d_step { settlement[number] == waits && settlementPlace[number] > confirmed ->
        endSettlement(warned)
      }
    od
}

inline endConnections() {
    i = 0;
    do
    :: i < RUNS ->
        if
        :: group[i] != absent -> group[i] = answered; answer[i] = nothing
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < SETTLEMENTS ->
        if
        :: settlement[i] != absent ->
            settlement[i] = answered;
            settled[i] = nothing;
            settlementPlace[i] = 0
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

/* No group arrives, and no transaction goes on, after the retention. */
#ifdef MUTANT_GROUP_ARRIVES_AFTER_THE_RETENTION
#define MAY_EXPIRE(id) 1
#else
#define MAY_EXPIRE(id) (age[id] == 0 || !IS_UNDER_WAY(id))
#endif

/* What the standby has needs no places of its own: fewer states. */
inline shortenLog() {
    log = 1;
    confirmed = 1;
    do
    :: i < RUNS -> rowPlace[i] = rowPlace[i] > 0; writesPlace[i] = writesPlace[i] > 0; i++
    :: else -> i = 0; break
    od;
    do
    :: i < SETTLEMENTS -> settlementPlace[i] = settlementPlace[i] > 0; i++
    :: else -> i = 0; break
    od
}

proctype Servers() {
end:
    do
    :: d_step { confirmed < log ->
        confirmed++;
        if
        :: confirmed == log -> shortenLog()
        :: else
        fi
      }
    /* A server that crashes keeps what it has committed, even if no standby has it. */
    :: d_step { crashes > 0 -> crashes--; endConnections() }
    /* The standby has less. */
    :: d_step { failovers > 0 ->
        failovers--;
        endConnections();
        log = confirmed;
        do
        :: i < RUNS ->
            if
            :: rowPlace[i] > log -> rowPlace[i] = 0; row[i] = none
            :: else
            fi;
            if
            :: writesPlace[i] > log -> writesPlace[i] = 0
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0;
        countCommitted()
      }
    od
}

/* By run: an id grows old, and the marks that are older than the retention are deleted. */
proctype Clock(byte id) {
end:
    do
    :: d_step { id <= current && age[id] < 2 && (id == 0 || age[id - 1] > age[id]) && MAY_EXPIRE(id) -> age[id]++ }
    /* PostgresEngine.maintain */
    :: d_step { age[id] == 2 && row[id] != none -> row[id] = none; rowPlace[id] = 0 }
    od
}

init {
    atomic {
        run PostgresEngine();
        do
        :: i < RUNS -> run Backend(i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < RUNS -> run Clock(i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < SETTLEMENTS -> run Settlement(i / ATTEMPTS, i); i++
        :: else -> break
        od;
        i = 0;
        run Servers()
    }
}
