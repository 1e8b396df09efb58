"""Measures the store in PostgreSQL, on a private server of its own.

postgres.py full BINARY [PART …]    all parts, or the named ones, about twenty minutes; writes postgres.json and postgres.svg,
                                    and RESULTS.md again
postgres.py quick BINARY [PART …]   a smoke of all parts with few accounts, or of the named ones, a minute; prints only

The parts: compare (pgbench, Django and the directory store), trips (round trips, counted), network (with 1 ms of it),
connections, processes, accounts (1,000 to 1,000,000), moves (of the largest store, to PostgreSQL and back).

BINARY is a build with the store in PostgreSQL. BENCH_DIR is the working folder, and TMPDIR that of the server; a full run
needs about five gigabytes in each. BENCH_RUNS is the number of runs of a row (5).
"""

import json
import os
import sys

import plot
import postgres_growth
import postgres_rows
import results
import rows
from bench import ROWS as OTHER_ROWS
from harness import HERE, compile_native
from postgres_bench import PostgresBench
from postgres_work import Work

RUNS, QUICK_RUNS = int(os.environ.get("BENCH_RUNS", "5")), 1
QUICK_SHARE = 0.1


def compared(which):
    """A part that is rows of a table."""

    def measured(bench):
        runs = RUNS if bench.is_whole else QUICK_RUNS
        outcomes, failures = rows.measure(
            bench, which, runs, lambda outcome: print(results.line(outcome), flush=True)
        )
        assert not failures, "; ".join(sorted(set(failures.values())))
        return {outcome.row.key: outcome.pairs for outcome in outcomes}

    return measured


def shown(measured):
    """A part whose figures are printed as JSON."""

    def run(bench):
        figures = measured(bench)
        print(json.dumps(figures, indent=1), flush=True)
        return figures

    return run


PARTS = {
    "trips": shown(lambda bench: bench.trips),
    "compare": compared([row for row in postgres_rows.ROWS if row.measure is postgres_rows.near]),
    "network": compared([row for row in postgres_rows.ROWS if row.measure is postgres_rows.far]),
    "connections": shown(postgres_growth.connections),
    "processes": shown(postgres_growth.processes),
    "moves": shown(postgres_growth.moves),
    "accounts": shown(postgres_growth.accounts),
}


def plottable(series):
    """The series without zeros, which a logarithmic scale does not have."""
    return {name: values for name, values in series.items() if all(values.values())}


def save(figures):
    results.keep("postgres.json", figures)
    panels = {name: plottable(figures[name]) for name in ("connections", "processes", "accounts") if name in figures}
    if panels:
        plot.growth(
            os.path.join(HERE, "postgres.svg"), panels, "The store in PostgreSQL: what a process does in a second",
            "a second; kilobytes of an account",
        )
    results.write(OTHER_ROWS)


def main(mode="", binary="", *parts):
    if mode not in ("full", "quick") or not set(parts) <= set(PARTS):
        sys.exit(f"{__doc__}\nparts: {', '.join(PARTS)}")
    compile_native()
    figures = {"machines": {}, "failures": {}, **(results.kept("postgres.json") or {})}
    failures = figures["failures"]
    with PostgresBench(binary, 1 if mode == "full" else QUICK_SHARE, Work) as bench:
        for name in parts or PARTS:
            bench.fresh()
            try:
                figures[name] = PARTS[name](bench)
                figures["machines"][name] = results.machine(bench.root)
                failures.pop(name, None)
            except Exception as error:
                # One part must not end a long run.
                failures[name] = f"{type(error).__name__}: {error}"
                print(f"{name}: not measured: {failures[name]}", file=sys.stderr, flush=True)
            if mode == "full":
                save(figures)
    sys.exit(1 if failures.keys() & set(parts or PARTS) else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
