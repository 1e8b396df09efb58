"""Four processes on one directory, with clients of their own that all write at once.

Promised: nobody can tell them from one process. An email that all register at once is registered once; changes are
numbered without a gap, none is lost, and none is read late by another process: while members are killed and started anew,
and the store is merged, checked and backed up. Where a sync takes long, the slowest process gets at least half of what
the fastest gets, and no request waits for ever.
"""

import statistics
import threading
import time

from crowd import PROCESSES, Crowd
from postern import Broken
from stores import Store

NAME = "four processes"
P99_SECONDS_MAX = 0.25


def run(trial):
    # The moment between a look at the journal and the write that rests on it, made long enough to be hit.
    late = trial.program.under(trial.shims["write"], WRITE="late", WRITE_MICROSECONDS=500)
    for program, is_troubled in [(late, False), (trial.program, True), (late, True)]:
        crowd = Crowd(trial, program, is_troubled)
        outcome = crowd.run(2.5 if trial.is_quick else 60)
        if is_troubled:
            trial.outcome.remarks.append("meanwhile " + ", ".join(f"{count} × {what}" for what, count in crowd.done.items()))
        trial.outcome.tried += outcome.checked
        trial.outcome.held += outcome.checked
        for kind, texts in outcome.wrong.items():
            trial.outcome.tried += len(texts)
            trial.outcome.failures += [f"{kind}: {text}" for text in texts]
    trial.hold_one("fairness", lambda: fair(trial, 2 if trial.is_quick else 20))
    blind = late.under(trial.shims["lock"])
    trial.outcome.bite("locks taken out", Crowd(trial, blind, False).run(2 if trial.is_quick else 5).summary())


def fair(trial, seconds):
    """Four processes that do nothing but commit, where each sync takes a millisecond more."""
    store = Store.make(trial.program, trial.directory())
    program = trial.program.under(trial.shims["sync"], SYNC="slow", SYNC_MICROSECONDS=1000)
    times = [[] for _ in range(PROCESSES)]
    begin = threading.Barrier(PROCESSES)
    failures = []

    def work(number):
        with store.serve(program=program) as server:
            store.listed(server)
            begin.wait()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                start = time.monotonic()
                reply = server.ask("operators.client.create", **store.client(f"f{number}-{len(times[number])}@b.co", "x"))
                times[number].append(time.monotonic() - start)
                if "error" in reply:
                    failures.append(reply["error"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = sorted(len(own) for own in times)
    everything = sorted(sum(times, []))
    p99 = everything[len(everything) * 99 // 100]
    trial.outcome.remarks.append(
        f"syncs 1 ms slower: {'/'.join(str(count) for count in counts)} commits in {seconds} s, "
        f"median {statistics.median(everything) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, longest {everything[-1] * 1e3:.0f} ms"
    )
    if failures:
        raise Broken(f"{len(failures)} commits failed: {failures[0]}")
    if counts[0] * 2 < counts[-1]:
        raise Broken(f"the slowest process made {counts[0]} commits, and the fastest {counts[-1]}")
    if p99 > P99_SECONDS_MAX:
        raise Broken(f"one commit in a hundred takes more than {p99:.3f} s")
