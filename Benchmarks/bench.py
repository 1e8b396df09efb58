"""Measures Postern and its peers, and prints one table.

bench.py full BINARY [ROW …]     all rows, or the named ones, five runs each; a run of all rows writes RESULTS.md,
                                 results.json and results.svg
bench.py quick BINARY [ROW …]    the main rows, under one minute
bench.py check BINARY [ROW …]    as quick; fails if a row misses its threshold by more than its spread
bench.py accept                  writes the ratios of results.json to thresholds.json, for the rows that miss their targets
bench.py report                  writes RESULTS.md and results.svg again from the saved measurements

BENCH_DIR is the working folder; a full run needs about six gigabytes there.
"""

import sys

import frameworks
import processes
import reads
import results
import scale
import signins
import size
import start
import thresholds
import writes
from harness import Bench, compile_native
from rows import measure

ROWS = [row for module in (start, reads, writes, signins, size, scale, processes, frameworks) for row in module.ROWS]
FULL_RUNS, QUICK_RUNS, QUICK_SHARE = 5, 3, 0.2


def run(binary, rows, runs, share):
    compile_native()
    bench = Bench(binary, share)
    print(results.HEAD)
    try:
        outcomes, failures = measure(bench, rows, runs, lambda outcome: print(results.line(outcome), flush=True))
    finally:
        bench.close()
    for key, reason in failures.items():
        print(f"{key}: not measured: {reason}", file=sys.stderr)
    return outcomes, failures


def chosen(keys, rows):
    unknown = set(keys) - {row.key for row in ROWS}
    if unknown:
        sys.exit(f"unknown row: {', '.join(sorted(unknown))}; the rows are {', '.join(row.key for row in ROWS)}")
    return [row for row in ROWS if row.key in keys] if keys else rows


def check(binary, keys, outcomes, failures):
    known = thresholds.load()
    faults = [thresholds.fault(outcome, known.get(outcome.row.key, {})) for outcome in outcomes]
    faults += [f"{key}: not measured" for key in failures]
    sys.exit("\n".join(fault for fault in faults if fault) or None)


def main(mode, binary=None, *keys):
    if mode == "full":
        outcomes, failures = run(binary, chosen(keys, ROWS), FULL_RUNS, 1)
        if not keys:
            results.save(outcomes, failures)
            results.write(ROWS)
        sys.exit(1 if failures else 0)
    elif mode in ("quick", "check"):
        rows = chosen(keys, [row for row in ROWS if row.is_quick])
        outcomes, failures = run(binary, rows, QUICK_RUNS, QUICK_SHARE)
        if mode == "check":
            check(binary, keys, outcomes, failures)
        sys.exit(1 if failures else 0)
    elif mode == "accept":
        thresholds.accept(results.load(ROWS)[0])
    elif mode == "report":
        results.write(ROWS)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:] or [""])
