"""Checks the models of the store's protocol with spin: every run and every mutant that README.md lists.

    model.py                 checks the tables of README.md, runs all models, and lets spin find all mutants
    model.py WORD…           only the runs and mutants whose model, flags or name contain one of the words
    model.py --jobs N        so many at a time; by default one for each processor
    model.py --names         checks only the tables
    model.py --write         writes the measured figures into README.md

A run must end with all states explored and no promise broken, and a mutant must break the promise that its row names.
The number of states must be that of README.md: another number means that a model has changed and its figures have not.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
README = os.path.join(HERE, "README.md")
SCRATCH = os.path.join(TREE, ".build", "model")

# All checkers together.
MEMORY_MEGABYTES_MAX = 4_000
SECONDS_MAX = 300
STEPS_MAX = 1_000_000
# Explores all states: no hash compaction, and no reduction of the order of steps.
OPTIONS = ["-DNOREDUCE", "-DNOFAIR"]
# The flag of a run that also looks for cycles.
NO_CYCLES = "-DNP"


class Broken(Exception):
    """A check has failed."""


@dataclasses.dataclass
class Case:
    """A row of the table of runs, or of that of mutants."""

    model: str
    flags: list
    mutants: list
    violation: str | None
    states: int | None
    row: int

    @property
    def name(self):
        return " ".join([self.model, *self.flags, *self.mutants])


@dataclasses.dataclass
class Result:
    states: int
    megabytes: int
    seconds: float
    violation: str | None
    # The lines of the steps that were taken.
    taken: set


class Readme:
    """The tables of README.md."""

    def __init__(self):
        with open(README) as file:
            self.lines = file.read().split("\n")
        self.runs = [self.run(row, cells) for row, cells in self.rows("Runs")]
        self.mutants = [self.mutant(row, cells) for row, cells in self.rows("Mutants")]

    def rows(self, heading):
        """The rows of the tables below a heading: the number of each line, and its cells."""
        found = []
        inside = False
        for number, line in enumerate(self.lines):
            if line.startswith("## "):
                inside = line == f"## {heading}"
            elif inside and line.startswith("|") and not re.match(r"\| -+ \|", self.lines[number + 1]):
                cells = [cell.strip() for cell in line.strip()[1:-1].split("|")]
                if not set(line) <= set("|- "):
                    found.append((number, cells))
        if not found:
            raise Broken(f"README.md has no table below {heading}")
        return found

    def run(self, row, cells):
        model, flags, _, states, _, _ = cells
        count = re.sub(r"\D", "", states)
        return Case(names(model)[0], code(flags), [], None, int(count) if count else None, row)

    def mutant(self, row, cells):
        model, macros, flags, violation, _ = cells
        return Case(names(model)[0], code(flags), [f"-DMUTANT_{name}" for name in names(macros)], violation, None, row)

    def write(self, case, result):
        cells = self.lines[case.row][1:-1].split("|")
        figures = [f"{result.states:,}", f"{result.megabytes}", f"{result.seconds:.0f}"]
        self.lines[case.row] = "| " + " | ".join([cell.strip() for cell in cells[:3]] + figures) + " |"
        with open(README, "w") as file:
            file.write("\n".join(self.lines))


def code(cell):
    """The words of a cell's code."""
    return [word for part in re.findall(r"`([^`]*)`", cell) for word in part.split()]


def names(cell):
    return [word.strip("`") for word in re.findall(r"`[^`]*`", cell)]


# MARK: The tables


def check_tables(readme):
    """Compares the tables with the models and with the sources."""
    problems = []
    models = {name[:-4]: text(HERE, name) for name in sorted(os.listdir(HERE)) if name.endswith(".pml")}
    for model, source in models.items():
        defined = set(re.findall(r"\bMUTANT_(\w+)", source))
        flags = {flag for case in readme.mutants if case.model == model for flag in case.mutants}
        listed = {flag.removeprefix("-DMUTANT_") for flag in flags}
        problems += [f"{model}.pml has a mutant {name}, which README.md does not list" for name in defined - listed]
        problems += [f"README.md lists a mutant {name}, which {model}.pml does not have" for name in listed - defined]
        if model not in {case.model for case in readme.runs}:
            problems.append(f"README.md has no run of {model}.pml")
    words = {word for source in models.values() for word in re.findall(r"\w+", source)}
    listed = set()
    for _, (model_cell, swift_cell, file_cell, _) in readme.rows("Names"):
        listed |= set(names(model_cell))
        problems += [f"no model has the name {name}" for name in names(model_cell) if name not in words]
        problems += missing(names(swift_cell), names(file_cell))
    for model, source in models.items():
        for states in re.findall(r"mtype = \{(.*?)\}", source, re.S):
            steps = set(re.findall(r"\w+", states)) - listed
            problems += [f"README.md does not list {name} of {model}.pml" for name in sorted(steps)]
    if problems:
        raise Broken("\n".join(problems))


def missing(swift_names, files):
    """The Swift names that none of the files declares."""
    problems = []
    sources = {}
    for file in files:
        path = os.path.join(TREE, "Sources", file)
        if not os.path.exists(path):
            problems.append(f"there is no Sources/{file}")
            continue
        sources[file] = text(TREE, "Sources", file)
    for name in swift_names:
        if not any(declares(source, name) for source in sources.values()):
            problems.append(f"{name} is not declared in {', '.join(files)}")
    return problems


def declares(source, name):
    kind, _, member = name.partition(".")
    types = r"\b(struct|class|enum|extension|protocol|actor)\s+" + kind + r"\b"
    members = r"\b(func|var|let|case)\b[^\n={]*\b" + member + r"\b"
    return bool(re.search(types, source) and (not member or re.search(members, source)))


def text(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


# MARK: The checker


STEP = re.compile(r":: d_step \{(.*?)->", re.S)


def recording_steps(model):
    """The model, with code in each step that records that the step is taken. No line gets another number."""
    recorder = (
        f"c_code {{ char taken[{model.count(chr(10)) + 2}]; __attribute__((destructor)) void report(void) {{ "
        r'printf("steps taken:"); for (int i = 0; i < sizeof taken; i++) if (taken[i]) printf(" %d", i); puts(""); '
        "} } "
    )
    return recorder + STEP.sub(lambda step: f"{step[0]} c_code {{ taken[{line_of(model, step)}] = 1; }};", model)


def line_of(model, match):
    return model.count("\n", 0, match.start()) + 1


class Checker:
    """Runs spin, the compiler and the checkers that spin generates."""

    def __init__(self, jobs):
        self.jobs = jobs
        self.deadline = time.monotonic() + SECONDS_MAX
        self.running = set()
        self.lock = threading.Lock()

    def check(self, case):
        folder = os.path.join(SCRATCH, re.sub(r"[^\w=]+", "_", case.name))
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        source = case.model + ".pml"
        model = text(HERE, source)
        with open(os.path.join(folder, source), "w") as file:
            file.write(model if case.mutants else recording_steps(model))
        output = self.command(["spin", "-a", *case.flags, *case.mutants, source], folder)
        if "Error" in output or not os.path.exists(os.path.join(folder, "pan.c")):
            raise Broken(f"spin: {output}")
        memory = f"-DMEMLIM={MEMORY_MEGABYTES_MAX // self.jobs}"
        # Mutants are found soon, so most of their time is that of the compiler.
        level = "-O0" if case.mutants else "-O1"
        finds_cycles = NO_CYCLES in case.flags
        options = [NO_CYCLES] if finds_cycles else ["-DSAFETY"]
        self.command(["gcc", level, "-w", *OPTIONS, *options, memory, "-o", "pan", "pan.c"], folder)
        start = time.monotonic()
        output = self.command(["./pan", f"-m{STEPS_MAX}", "-w22", *(["-l"] if finds_cycles else [])], folder)
        result = self.result(output, time.monotonic() - start)
        self.judge(case, result, folder)
        if result.violation is None or case.violation:
            shutil.rmtree(folder)
        return result

    def command(self, command, folder):
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        with self.lock:
            self.running.add(process)
        try:
            output, _ = process.communicate(timeout=max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Broken(f"not done after {SECONDS_MAX} seconds in all") from None
        finally:
            with self.lock:
                self.running.discard(process)
        if process.returncode != 0:
            raise Broken(f"{command[0]} ends with {process.returncode}: {output[-2000:]}")
        return output

    def stop(self):
        with self.lock:
            for process in self.running:
                os.killpg(process.pid, signal.SIGKILL)

    @staticmethod
    def result(output, seconds):
        states = re.search(r"([\d.e+]+) states, stored", output)
        memory = re.search(r"([\d.]+)\s+total actual memory usage", output)
        errors = re.search(r"errors: (\d+)", output)
        if not states or not memory or not errors:
            raise Broken(f"the checker has no result: {output[-2000:]}")
        violation = None
        if errors[1] != "0":
            found = re.search(r"pan:1: (.*)", output)[1]
            promise = re.search(r"assertion violated.*\|\|(\w+)\)", found)
            violation = promise[1] if promise else found
        elif "Search not completed" in output or "max search depth too small" in output or "out of memory" in output:
            raise Broken(f"not all states were explored: {output[-2000:]}")
        steps = re.search(r"^steps taken:(.*)", output, re.M)
        taken = {int(line) for line in steps[1].split()} if steps else set()
        return Result(int(float(states[1])), round(float(memory[1])), seconds, violation, taken)

    def judge(self, case, result, folder):
        if case.violation:
            if result.violation is None:
                raise Broken(f"not found, in {result.states:,} states")
            if result.violation != case.violation:
                raise Broken(f"breaks {result.violation}, where README.md says {case.violation}")
        elif result.violation:
            raise Broken(f"breaks {result.violation}:\n{self.trail(case, folder)}")

    def trail(self, case, folder):
        """The steps that lead to a violation: the number of the process in that step, and its line of the model.

        After each step, the processes are sorted, so a process may have another number in the next one.
        """
        source = case.model + ".pml"
        lines = text(folder, source).split("\n")
        # The checker ends with an error when it replays a violation.
        steps = subprocess.run(["./pan", "-r", source + ".trail"], cwd=folder, capture_output=True, text=True).stdout
        found = re.findall(r"proc\s+(\d+) \((\w+)\).*\[D_STEP(\d+)\]", steps)
        return "\n".join(f"    {name} {process}: {lines[int(line) - 1].strip()}" for process, name, line in found)


def report(case, result):
    kind = "mutant" if case.mutants else "run"
    outcome = f"found: {result.violation}" if case.violation else "all promises kept"
    print(
        f"{kind:6} {case.name}: {outcome}; {result.states:,} states, {result.megabytes} MB, {result.seconds:.1f} s",
        flush=True,
    )


def check_all(readme, cases, jobs, writes):
    """Returns how many cases failed."""
    checker = Checker(jobs)
    failures = 0
    taken = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        # The longest first, so that the processors are busy until the end.
        ordered = sorted(cases, key=lambda case: -(case.states or 0))
        futures = {pool.submit(checker.check, case): case for case in ordered}
        try:
            for future in concurrent.futures.as_completed(futures):
                case = futures[future]
                try:
                    result = future.result()
                    if not case.mutants:
                        taken.setdefault(case.model, []).append(result.taken)
                        if writes:
                            readme.write(case, result)
                        elif case.states != result.states:
                            raise Broken(f"{result.states:,} states, where README.md says {case.states}")
                    report(case, result)
                except Broken as broken:
                    failures += 1
                    print(f"FAILED {case.name}: {broken}", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            checker.stop()
            raise
    for model, sets in taken.items():
        # A step that no run takes shows nothing.
        if len(sets) == sum(case.model == model for case in readme.runs):
            source = text(HERE, model + ".pml")
            for line in sorted({line_of(source, step) for step in STEP.finditer(source)} - set.union(*sets)):
                failures += 1
                print(f"FAILED {model}.pml:{line}: no run takes this step", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--names", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    start = time.monotonic()
    try:
        readme = Readme()
        check_tables(readme)
    except Broken as broken:
        sys.exit(str(broken))
    print("The tables of README.md name what the models and the sources have.", flush=True)
    if arguments.names:
        return
    cases = [*readme.runs, *readme.mutants]
    if arguments.words:
        cases = [case for case in cases if any(word in case.name for word in arguments.words)]
    failures = check_all(readme, cases, max(1, arguments.jobs), arguments.write)
    seconds = time.monotonic() - start
    print(f"{len(cases) - failures} of {len(cases)} as they should be, in {seconds:.0f} seconds.")
    if failures or not cases:
        sys.exit(1)


if __name__ == "__main__":
    main()
