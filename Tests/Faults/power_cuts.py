"""Power cuts: copies of a disk, taken while processes write to it, are mounted and opened.

An ext4 file system is on an image, mounted through a loop device. The image is on XFS, which copies it instantly by
reflink. A copy has what ext4 has written to its disk and nothing that waits in memory, like a disk after a power cut.
Meanwhile, two processes commit, stores are compacted, and new stores are created.

Guarantee: a copy has everything that was acknowledged before the copy began.
"""

import copy
import os
import threading
import time

import mounts
from postern import Broken
from stores import NOBODY, Store

NAME = "power cut"
XFS_BYTES, EXT4_BYTES = 2 << 30, 256 << 20
MADE_CHECKED = 10


def run(trial):
    try:
        with mounts.disk(trial.directory(), XFS_BYTES, EXT4_BYTES) as disk:
            cuts(trial, disk)
    except mounts.Unavailable as why:
        trial.outcome.skip(why)


def cuts(trial, disk):
    load = Load(trial, disk, trial.program)
    for number in range(4 if trial.is_quick else 40):
        # Sometimes in the middle of the load, sometimes right after a reply.
        time.sleep(trial.random.random() * (0.4 if trial.is_quick else 1))
        snapshot = load.snapshot(f"cut{number}.img")
        trial.hold_one(f"cut {number}", lambda: hold(trial, disk, *snapshot))
        if trial.is_over:
            break
    load.end()
    counts = f"{len(load.store.ledger.known)} commits, {load.merges} compactions, {len(load.made)} stores created"
    trial.outcome.remarks.append(counts)
    for failure in load.failures:
        trial.outcome.tried += 1
        trial.outcome.failures.append(failure)
    idle = Load(trial, disk, trial.program.under(trial.shims["sync"], SYNC="skip"))
    time.sleep(1)
    snapshot = idle.snapshot("idle.img")
    idle.end()
    trial.outcome.bite("without syncs", trial.finds(lambda: hold(trial, disk, *snapshot)))


class Load:
    """Processes that write to a disk, and the replies that they got."""

    def __init__(self, trial, disk, program):
        self.trial, self.disk, self.program = trial, disk, program
        self.name = os.path.basename(program.environment.get("SYNC", "data"))
        self.store = Store.make(trial.program, os.path.join(disk.place, self.name))
        # All clients requested so far, and by process those that wait for a reply.
        self.sent = []
        self.waiting = {}
        self.made = {}
        self.merges = 0
        self.failures = []
        self._is_over = False
        self._threads = [threading.Thread(target=self._guard, args=(self._write, number)) for number in range(2)]
        self._threads += [threading.Thread(target=self._guard, args=(work,)) for work in (self._merge, self._make)]
        for thread in self._threads:
            thread.start()

    def end(self):
        self._is_over = True
        for thread in self._threads:
            thread.join()

    def _guard(self, work, *arguments):
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001
            self.failures.append(f"under load: {type(error).__name__}: {error}")

    def _write(self, number):
        """Commits single clients and groups, each with a counter client whose address is the number of the commit."""
        random = self.trial.random.__class__(number)
        with self.store.serve(program=self.program) as server:
            count = 0
            while not self._is_over:
                count += 1
                clients = [(f"p{number}-{count}-{index}@b.co", "x" * 100) for index in range(random.choice([1, 1, 2, 20]))]
                clients.append((f"counter{number}@b.co", str(count)))
                self.waiting[number] = clients
                self.sent += clients
                self.store.create_all(server, clients)
                # Keeps the store small enough to be read at each cut.
                time.sleep(0.02)
            server.close()

    def _merge(self):
        while not self._is_over:
            code, _, errors = self.store.run("compact", program=self.program)
            if code != 0:
                raise Broken(errors)
            self.merges += 1
            time.sleep(0.2)

    def _make(self):
        """Creates one new store after another."""
        while not self._is_over:
            path = os.path.join(self.disk.place, f"{self.name}-made", f"deep{len(self.made)}", "data")
            self.made[path] = None
            self.made[path] = Store.make(self.program, path).session
            time.sleep(0.2)

    def snapshot(self, name):
        """Copies the disk. Returns the copy, the data that it must have, and the new stores that it must have."""
        begin = len(self.sent)
        waiting = sum(self.waiting.values(), [])
        ledger = copy.deepcopy(self.store.ledger)
        made = dict(list(self.made.items())[-MADE_CHECKED:])
        path = self.disk.copy(name)
        ledger.doubts = waiting + self.sent[begin:]
        return path, self.name, self.store.session, ledger, made


def hold(trial, disk, path, name, session, ledger, made):
    """Mounts a copy and opens the stores in it."""
    with mounts.image(trial.directory() + ".mount", path) as place:
        Store(trial.program, os.path.join(place, name), session, ledger).verify()
        for original, session in made.items():
            data = os.path.join(place, os.path.relpath(original, disk.place))
            if session is None:
                code, _, errors = trial.program.run("stats", data)
                if code != 0 and "there is no store" not in errors:
                    raise Broken(f"a store under creation is refused: {errors}")
            elif Store(trial.program, data, session).served()[0] in (None, NOBODY):
                raise Broken(f"{data} was created, and its operator is missing")
    os.unlink(path)
