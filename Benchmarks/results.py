"""The results as a table: saved in results.json, and written to RESULTS.md."""

import datetime
import json
import os
import platform
import subprocess
import sys

import plot
import postgres_rows
import thresholds
from harness import HERE
from rows import Outcome

HEAD = "| benchmark | Postern | peer | ratio | spread |\n| --- | --- | --- | --- | --- |"
MOUNT = ["findmnt", "-no", "FSTYPE,SOURCE,OPTIONS", "-T"]


def show(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}" if value >= 0.1 else f"{value:.3f}"


def line(outcome):
    row, ratios = outcome.row, outcome.ratios
    ours = f"{show(outcome.ours)} {row.unit}".strip()
    return (
        f"| {row.title} | {ours} | {row.peer}: {show(outcome.theirs)} | "
        f"{show(outcome.ratio)} | {show(ratios[0])} to {show(ratios[-1])} |"
    )


def output_of(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def commit():
    """The measured commit, marked if the sources have changes."""
    changed = output_of("git", "status", "--porcelain", "--", "../Sources", "../Package.swift")
    return output_of("git", "rev-parse", "--short", "HEAD") + (", with changes" if changed else "")


def machine(folder):
    """The date, the commit and the machine, by name."""
    with open("/proc/cpuinfo") as info:
        model = next((each.split(":")[1].strip() for each in info if each.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "processor": f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB of memory",
        "system": f"Linux {platform.release()}",
        "file system": " ".join(output_of(*MOUNT, os.path.abspath(folder)).split()),
        "peers": f"Python {platform.python_version()}, Node {output_of('node', '--version')}, {output_of('gcc', '--version').splitlines()[0]}",
    }


def keep(name, value):
    with open(os.path.join(HERE, name), "w") as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write("\n")


def kept(name):
    """The contents of a file of figures, or None if it does not exist yet."""
    try:
        with open(os.path.join(HERE, name)) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def save(outcomes, failures):
    runs = {outcome.row.key: outcome.pairs for outcome in outcomes}
    if (before := kept("results.json")) is not None:
        keep("earlier.json", before)
    keep("results.json", {"machine": machine(os.environ.get("BENCH_DIR", ".")), "runs": runs, "failures": failures})


def load(rows):
    """The saved outcomes, the machine, and the failures."""
    saved = kept("results.json") or sys.exit("there are no results; run make bench")
    return outcomes_of(saved, rows), saved["machine"], saved.get("failures", {})


def outcomes_of(saved, rows):
    return [Outcome(row, saved["runs"][row.key]) for row in rows if row.key in saved["runs"]]


def target(outcome, threshold):
    """The row's targets, each with whether it is met."""
    texts = []
    limit = outcome.row.limit
    if limit is not None and threshold.get("of") != "ours":
        sign = "≥" if outcome.row.more_is_better else "≤"
        texts.append((f"{sign} {limit:g} {outcome.row.unit}".strip(), outcome.meets_limit()))
    met = thresholds.is_met(outcome, threshold)
    if met is not None:
        sign, value = ("≥", threshold["at_least"]) if "at_least" in threshold else ("≤", threshold["at_most"])
        texts.append((f"{sign} {value:g}" + (" (Postern alone)" if threshold.get("of") else " ×"), met))
    return "; ".join(f"{text}: {'met' if met else '**missed**'}" for text, met in texts) or "none"


def section_of_rows(outcomes, known):
    yield HEAD.replace(" |\n", " | target |\n") + " --- |"
    for outcome in outcomes:
        yield f"{line(outcome)} {target(outcome, known.get(outcome.row.key, {}))} |"
    yield "\n![The ratios on a logarithmic scale](results.svg)\n"
    yield "## The benchmarks\n"
    peers = {}
    for outcome in outcomes:
        peers.setdefault((outcome.row.title, outcome.row.about), []).append(outcome.row.peer)
    for (title, about), names in peers.items():
        yield f"- **{title}** (peer: {'; '.join(names)}): {about}"
    yield "\nThe frameworks are called inside their own process, by WSGI or ASGI, without a server; Postern is called through pipes."


def section_of_repetition(outcomes, earlier, about):
    yield "\n## Comparison with the previous run\n"
    spreads = {outcome.row.key: (outcome.ratios[0], outcome.ratios[-1]) for outcome in earlier}
    pairs = [(outcome, spreads[outcome.row.key]) for outcome in outcomes if outcome.row.key in spreads]
    outside = [(outcome, spread) for outcome, spread in pairs if not spread[0] <= outcome.ratio <= spread[1]]
    yield (
        f"The previous run was on {about['date']}, commit {about['commit']}. {len(pairs) - len(outside)} of {len(pairs)} ratios are "
        f"within the spread of that run{'. Outside are:' if outside else '.'}\n"
    )
    for outcome, (least, most) in outside:
        change = f"{show(outcome.ratio)}, before {show(least)} to {show(most)}"
        overlaps = outcome.ratios[0] <= most and outcome.ratios[-1] >= least
        yield f"- {outcome.row.title} (peer: {outcome.row.peer}): {change}{'' if overlaps else '; the spreads do not overlap'}"


def section_of_instructions(counts):
    yield "\n## Instructions for a request\n"
    yield "Counted by `make bench-instructions` with callgrind, in deterministic mode and with `--data :memory:`."
    yield "The figures are reproducible to a thousandth.\n"
    yield "| method | instructions | allocations |\n| --- | --- | --- |"
    yield from (
        f"| `{method}` | {count['instructions']:,} | {count['allocations']:.1f} |" for method, count in counts.items()
    )


def section_of_growth(growth):
    yield "\n## Growth\n"
    yield "`make bench-growth` measures these medians, in microseconds unless the row names another unit.\n"
    for axis, series in growth.items():
        sizes = list(next(iter(series.values())))
        yield f"| {axis} | {' | '.join(f'{int(size):,}' for size in sizes)} |\n| --- |{' --- |' * len(sizes)}"
        for name, values in series.items():
            yield f"| {name} | {' | '.join(show(values[size]) for size in sizes)} |"
        yield ""
    yield "![The cost of an operation as a store grows](growth.svg)"


def section_of_postgres(figures):
    parts = {}
    for part, about in figures["machines"].items():
        parts.setdefault((about["date"], about["commit"], about["processor"], about["system"]), []).append(part)
    yield "\n## The store in PostgreSQL\n"
    for (date, commit, processor, system), names in parts.items():
        yield f"Measured by `make bench-postgres` on {date}, commit {commit}, {processor}, {system}: {', '.join(names)}.\n"
    yield (
        "On a private server with durable commits. Requests a second of one process with 16 connections, unless a row says more. pgbench "
        "has as many, and sends the statements that Postern was recorded to send, in pipelines as Postern does. The network is a "
        "program that delays all bytes.\n"
    )
    outcomes = [
        Outcome(row, pairs)
        for part in ("compare", "network")
        for row in postgres_rows.ROWS
        if (pairs := figures.get(part, {}).get(row.key))
    ]
    known = thresholds.load()
    yield HEAD.replace(" |\n", " | target |\n") + " --- |"
    yield from (f"{line(outcome)} {target(outcome, known.get(outcome.row.key, {}))} |" for outcome in outcomes)
    if trips := figures.get("trips"):
        yield "\n| request | round trips |\n| --- | --- |"
        yield from (f"| {name} | {count} |" for name, count in trips.items())
    for axis in ("connections", "processes", "accounts"):
        if series := figures.get(axis):
            sizes = list(next(iter(series.values())))
            yield f"\n| {axis} | {' | '.join(f'{int(size):,}' for size in sizes)} |\n| --- |{' --- |' * len(sizes)}"
            for name, values in series.items():
                yield f"| {name} | {' | '.join(show(values[size]) for size in sizes)} |"
    if moves := figures.get("moves"):
        yield f"\n| move of {moves['accounts']:,} accounts | seconds | peak memory of `export`, MB | of `import`, MB |"
        yield "| --- | --- | --- | --- |"
        for name, values in moves.items():
            if name != "accounts":
                yield f"| {name} | {' | '.join(show(values[key]) for key in ('seconds', 'export', 'import'))} |"
    if any(axis in figures for axis in ("connections", "processes", "accounts")):
        yield "\n![Requests a second with more connections, processes and accounts](postgres.svg)"
    yield from (f"\nNot measured: {part}: {reason}" for part, reason in figures.get("failures", {}).items())


def section_of_build(build):
    yield "\n## Building and testing\n"
    yield f"Measured by `make bench-build` on {build['date']}, commit {build['commit']}.\n"
    yield "| step | seconds |\n| --- | --- |"
    yield from (f"| {name} | {show(seconds)} |" for name, seconds in build["seconds"].items())


def write(rows):
    """Writes RESULTS.md and results.svg from all saved figures."""
    outcomes, about, failures = load(rows)
    known = thresholds.load()
    text = ["# Results\n", "Written by `make bench`, including the figures that miss their targets.\n"]
    text += [f"- {name}: {value}" for name, value in about.items()]
    runs = max(len(outcome.pairs) for outcome in outcomes)
    text.append(
        f"\nA figure is the median of {runs} runs, in which Postern and the peers take turns. The ratio is Postern ÷ peer; the "
        "spread is the smallest and the largest ratio of a run. One driver in C sends and times the requests of both.\n"
    )
    text += section_of_rows(outcomes, known)
    text += [f"\nNot measured: {key}: {reason}" for key, reason in failures.items()]
    if (before := kept("earlier.json")) is not None:
        text += section_of_repetition(outcomes, outcomes_of(before, rows), before["machine"])
    for name, section in (
        ("instructions.json", section_of_instructions),
        ("growth.json", section_of_growth),
        ("postgres.json", section_of_postgres),
        ("build.json", section_of_build),
    ):
        if (values := kept(name)) is not None:
            text += section(values)
    with open(os.path.join(HERE, "RESULTS.md"), "w") as file:
        file.write("\n".join(text) + "\n")
    plot.bars(os.path.join(HERE, "results.svg"), outcomes, known)
