"""Tests the real binary with injected faults.

    faults.py BINARY [--quick] [--only NAME] [--seed NUMBER] [--no-skips]

The guarantee: **when the store is next opened, the effect of every acknowledged request is there, every other request
is there whole or not at all, and no wrong data is returned without an error.** A store whose files are too damaged
for that refuses to open, and reports the file and the offset.

A module is a class of faults:

    kills          killed at each system call, twice in a row, and during a write
    errors         an error instead of each system call
    full_disks     a disk that fills up
    damage         flipped bits, truncations, holes, duplicates, lost and swapped files, manual edits
    processes      four processes on one directory, with kills and compactions; their history is checked
    locks          a lock whose holder is stopped or killed; a compaction between two system calls
    exchanges      files and directories that are replaced while a process uses them
    power_cuts     copies of a disk, taken while processes write
    file_systems   file systems without reliable locks, and read-only ones
    syncs          a sync that fails
    clocks         a clock that is set back or ahead

Each prints a line: `class | cases tried | cases passed | self-test`. The last column says what the same checks found
when a protection was removed: the sync, the lock, or the comparison of checksums. A check that finds nothing then
proves nothing and counts as failed, and so does a class that tried nothing. Cases that the machine does not support,
for example in a container without loop devices, are skipped: they are listed and counted, and fail with `--no-skips`
or NO_SKIPS=1.

`--quick` takes a random sample of at most 100 seconds, and prints its seed. A full run takes up to half an hour. The
exit code is 1 if a case failed or a check found nothing without the protection.

Needs Python's standard library, strace and gcc; as root also xfsprogs, e2fsprogs and bindfs.
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

# The classes, with the seconds that a quick run gives to each.
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


def main(usage=__doc__, classes=None, make_trial=None):
    """Runs classes: by default those of this folder, in trials of directories."""
    classes = classes or CLASSES
    parser = argparse.ArgumentParser(usage=usage)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=classes, action="append")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--no-skips", action="store_true", default=os.environ.get("NO_SKIPS") == "1")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    print("class | cases tried | cases passed | self-test", flush=True)
    outcomes = [
        run(name, options, classes[name] if options.quick else None, make_trial or directory_trial)
        for name in options.only or classes
    ]
    skipped = sum(len(outcome.skipped) for outcome in outcomes)
    print(f"{sum(outcome.tried for outcome in outcomes)} cases tried, {skipped} skips", flush=True)
    is_good = all(outcome.is_good for outcome in outcomes) and not (skipped and options.no_skips)
    sys.exit(0 if is_good else 1)


def directory_trial(program, scratch, seed, seconds):
    return Trial(program, Shims(scratch), scratch, seed, seconds)


def run(name, options, seconds_max, make_trial):
    """Runs one class and prints its outcome."""
    module = importlib.import_module(name)
    scratch = scratch_directory()
    start = time.monotonic()
    try:
        trial = make_trial(Program(options.binary), scratch, options.seed, seconds_max)
        try:
            module.run(trial)
        except Exception as error:  # noqa: BLE001 - the other classes must run too
            trial.outcome.tried += 1
            trial.outcome.failures.append(f"outside of its cases: {type(error).__name__}: {error}")
        finally:
            trial.close()
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
        print(f"    FAILED {failure}", flush=True)
    if len(outcome.failures) > FAILURES_SHOWN_MAX:
        print(f"    and {len(outcome.failures) - FAILURES_SHOWN_MAX} more", flush=True)
    return outcome


if __name__ == "__main__":
    main()
