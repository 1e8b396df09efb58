"""Shared by all classes of faults: scratch directories, cases that run in parallel, and their outcome."""

import concurrent.futures
import dataclasses
import itertools
import os
import random
import shutil
import tempfile
import time

from postern import Broken, Gone
from stores import Store

AT_ONCE = 4
FAILURES_SHOWN_MAX = 5
TEETH_SHOWN_MAX = 80


@dataclasses.dataclass
class Outcome:
    """The outcome of a class of faults."""

    tried: int = 0
    held: int = 0
    teeth: str = "none"
    has_teeth: bool = True
    failures: list = dataclasses.field(default_factory=list)
    remarks: list = dataclasses.field(default_factory=list)
    # What the machine does not support, one sentence each.
    skipped: list = dataclasses.field(default_factory=list)

    @property
    def is_good(self):
        """Whether every case passed, and every check finds its removed protection. A class that tried nothing, or did
        not prove that it can fail, is not good unless it skipped something."""
        has_tried = self.tried > 0 and self.teeth != "none"
        return self.tried == self.held and self.has_teeth and (has_tried or bool(self.skipped))

    def skip(self, why):
        """Records cases that this machine does not support."""
        self.skipped.append(str(why))

    def bite(self, what, found):
        """Records what a check found with a protection removed; it must find something."""
        if found and len(found) > TEETH_SHOWN_MAX:
            found = found[:TEETH_SHOWN_MAX] + "…"
        words = f"{what}: {found}" if found else f"{what}: FOUND NOTHING"
        self.teeth = words if self.teeth == "none" else f"{self.teeth}; {words}"
        self.has_teeth = self.has_teeth and bool(found)


class Trial:
    """One run of one class: the program, a scratch directory, a seeded random generator, and a time limit."""

    def __init__(self, program, shims, scratch, seed, seconds=None):
        self.program, self.shims, self.scratch = program, shims, scratch
        self.random = random.Random(seed)
        self.is_quick = seconds is not None
        self._end = None if seconds is None else time.monotonic() + seconds
        self._numbers = itertools.count(1)
        self.outcome = Outcome()

    def close(self):
        """Ends what belongs to the trial, apart from the scratch directory."""

    @property
    def is_over(self):
        """Whether the time of a quick run is over."""
        return self._end is not None and time.monotonic() > self._end

    def directory(self):
        """An unused path in a new directory."""
        parent = os.path.join(self.scratch, str(next(self._numbers)))
        os.mkdir(parent)
        return os.path.join(parent, "data")

    def store(self, clients=3):
        """A new store with a few clients in its first journal."""
        return Store.make(self.program, self.directory(), [f"c{number}@b.co" for number in range(clients)])

    def merged_store(self, clients=3, later=3):
        """A new store that was compacted and has newer transactions; None if the program cannot compact."""
        if not self.program.knows("compact"):
            return None
        store = self.store(clients)
        code, _, errors = store.run("compact")
        if code != 0:
            raise Broken(f"an undamaged store cannot be compacted: {errors}")
        with store.serve() as server:
            for number in range(later):
                store.create(server, f"later{number}@b.co")
            store.create(server, "c0@b.co", "moved")
            server.close()
        return store

    def copy(self, store, program=None):
        return store.copy(self.directory(), program)

    def discard(self, store):
        shutil.rmtree(os.path.dirname(store.path), ignore_errors=True)

    def sample(self, cases):
        """All the cases, in random order in a quick run, which tries only some of them."""
        cases = list(cases)
        if self.is_quick:
            self.random.shuffle(cases)
        return cases

    def hold(self, cases, attempt, at_once=AT_ONCE):
        """Tries cases until the time is over. `attempt` raises `Broken` if a case fails."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            waiting = iter(cases)
            running = {}
            while True:
                while len(running) < at_once and not self.is_over:
                    case = next(waiting, None)
                    if case is None:
                        break
                    running[pool.submit(attempt, case)] = case
                if not running:
                    return
                done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    self._note(running.pop(future), future)

    def hold_one(self, name, attempt):
        """Tries one case, even if the time is over."""
        future = concurrent.futures.Future()
        try:
            future.set_result(attempt())
        except Exception as error:  # noqa: BLE001 - any exception means that the case failed
            future.set_exception(error)
        self._note(name, future)

    def _note(self, case, future):
        self.outcome.tried += 1
        try:
            future.result()
            self.outcome.held += 1
        except (Broken, Gone) as error:
            self.outcome.failures.append(f"{describe(case)}: {error or 'the process ended'}")
        except Exception as error:  # noqa: BLE001
            self.outcome.failures.append(f"{describe(case)}: {type(error).__name__}: {error}")

    def finds(self, attempt):
        """The fault that a check finds with a protection removed; None if it finds none."""
        try:
            attempt()
        except Broken as error:
            return str(error)
        return None


def describe(case):
    """A case in words, from which it can be repeated."""
    if isinstance(case, tuple):
        return " ".join(describe(part) for part in case if not isinstance(part, (dict, bytes, Trial)))
    return getattr(case, "__name__", str(case)).strip()


def scratch_directory():
    """A path for scratch directories: in memory if there is space, because most classes need no disk."""
    roomy = os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 1 << 30
    return tempfile.mkdtemp(prefix="postern-faults-", dir="/dev/shm" if roomy else None)
