"""Four processes on one directory, whose clients all write at the same time.

Guarantee: clients cannot distinguish them from one process. An email that all register at the same time is registered
once. Changes are numbered without a gap, none is lost, and other processes read each at once, even while processes
are killed and restarted and the store is compacted, checked and backed up. When syncs are slow, the slowest process
gets at least half as many commits as the fastest, and no request waits indefinitely.
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
    # Lengthens the time between a read of the journal and the write that depends on it, so that races occur.
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
    trial.outcome.bite("without locks", Crowd(trial, blind, False).run(2 if trial.is_quick else 5).summary())


def fair(trial, seconds):
    """Four processes that only commit, with syncs that take a millisecond longer."""
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
