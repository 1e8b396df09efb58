"""Forces faults on the real binary and holds it to its promise.

    faults.py BINARY [--quick] [--only NAME] [--seed NUMBER] [--no-skips]

The promise: **every acknowledged request's effect is there when the store is next opened, every other is there wholly or
not at all, and nothing is ever silently wrong.** Where a store cannot keep it, as its files were damaged, it refuses,
and says which file and where.

A module is a class of faults:

    kills          killed at each system call, twice in a row, and within a write
    errors         an error in place of each system call
    full_disks     a disk that fills up
    damage         flips, cuts, holes, doubles, lost and exchanged files, edits by hand
    processes      four processes on one directory, killed and merged meanwhile; a history of it, checked
    locks          a lock whose holder stands still or dies; a merge between two looks
    exchanges      files and directories exchanged underneath a process
    power_cuts     images of a disk, taken in mid-run
    file_systems   file systems that cannot be trusted, or not be written to
    syncs          a sync that fails
    clocks         a clock that is put back or ahead

Each prints a line: `class | cases tried | cases held | teeth`. The teeth tell what the same checks found with a
protection taken out: the sync, the lock, or the comparison of checksums. A check that finds nothing then proves nothing,
and counts as failed, and so does a class that tried nothing. What a machine cannot do, as a container without loop
devices, is skipped: it is listed and counted, and fails where `--no-skips` or NO_SKIPS=1 says that all must run.

`--quick` takes a sample of at most 100 seconds, by a seed that it prints; a full run takes up to half an hour. The exit
code is 1 where a case was not held or a check did not bite.

It needs Python's standard library, strace and gcc, and as root xfsprogs, e2fsprogs and bindfs.
"""

import argparse
import importlib
import os
import random
import shutil
import sys
import time

from postern import Program
from shims import Shims
from trial import FAILURES_SHOWN_MAX, Trial, scratch_directory

# With how many seconds a quick run gives to each.
CLASSES = {
    "kills": 12,
    "errors": 12,
    "full_disks": 4,
    "damage": 14,
    "processes": 18,
    "locks": 6,
    "exchanges": 3,
    "power_cuts": 12,
    "file_systems": 4,
    "syncs": 4,
    "clocks": 4,
}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=CLASSES, action="append")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--no-skips", action="store_true", default=os.environ.get("NO_SKIPS") == "1")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    print("class | cases tried | cases held | teeth", flush=True)
    outcomes = [run(name, options) for name in options.only or CLASSES]
    skipped = sum(len(outcome.skipped) for outcome in outcomes)
    print(f"{sum(outcome.tried for outcome in outcomes)} cases tried, {skipped} skips", flush=True)
    is_good = all(outcome.is_good for outcome in outcomes) and not (skipped and options.no_skips)
    sys.exit(0 if is_good else 1)


def run(name, options):
    """Runs one class and prints what came of it."""
    module = importlib.import_module(name)
    scratch = scratch_directory()
    start = time.monotonic()
    try:
        trial = Trial(
            Program(options.binary), Shims(scratch), scratch, options.seed, CLASSES[name] if options.quick else None
        )
        try:
            module.run(trial)
        except Exception as error:  # noqa: BLE001 - the other classes are to have their turn
            trial.outcome.tried += 1
            trial.outcome.failures.append(f"beyond its cases: {type(error).__name__}: {error}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    outcome = trial.outcome
    seconds = time.monotonic() - start
    print(f"{module.NAME} | {outcome.tried} | {outcome.held} | {outcome.teeth} | {seconds:.0f} s", flush=True)
    for why in outcome.skipped:
        print(f"    SKIPPED {why}", flush=True)
    for remark in outcome.remarks:
        print(f"    {remark}", flush=True)
    for failure in outcome.failures[:FAILURES_SHOWN_MAX]:
        print(f"    NOT HELD {failure}", flush=True)
    if len(outcome.failures) > FAILURES_SHOWN_MAX:
        print(f"    and {len(outcome.failures) - FAILURES_SHOWN_MAX} more", flush=True)
    return outcome


if __name__ == "__main__":
    main()
