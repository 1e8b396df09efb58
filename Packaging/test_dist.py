"""Tries each package of dist/ as its users do, in an empty folder, without Swift, libsodium or this repository.

MACHINES selects machines; programs for another kind of machine run under qemu-user. The arguments select trials.
"""

import os
import pathlib
import sys
import tempfile
import time

from project import selected_machines
from trials import container, debian, go, node, python, tarball
from trials.trial import Times
from trials.twice import same_bytes_twice


def main(only: list[str]) -> None:
    if os.geteuid():
        sys.exit("make test-dist needs root: it mounts file systems and starts a Debian.")
    times = Times()
    machines = selected_machines()
    trials = {"same bytes twice": same_bytes_twice, "python sources": python.tried_sources}
    for machine in machines:
        trials |= {
            f"tarball {machine.name}": lambda folder, machine=machine: tarball.tried(machine, folder, times),
            f"debian {machine.name}": lambda folder, machine=machine: debian.tried(machine, folder),
            f"python {machine.name}": lambda folder, machine=machine: python.tried(machine, folder, times),
            f"node {machine.name}": lambda folder, machine=machine: node.tried(machine, folder, times),
            f"container {machine.name}": lambda folder, machine=machine: container.tried(machine, folder, times),
        }
    trials["go"] = lambda folder: go.tried(machines[0].binary, folder, times)
    selected = {name: trial for name, trial in trials.items() if not only or any(word in name for word in only)}
    if not selected:
        sys.exit(f"No trial is named so; there are: {', '.join(trials)}.")
    failed = 0
    for name, trial in selected.items():
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder).chmod(0o755)
            try:
                trial(pathlib.Path(folder))
                print(f"ok      {name}, {time.monotonic() - started:.1f} s", flush=True)
            except Exception as error:
                failed += 1
                print(f"FAILED  {name}: {error}", flush=True)
    for way, seconds in times.seconds.items():
        print(f"{seconds:>5} s from an empty folder to the first reply: {way}")
    sys.exit(1 if failed else 0)


main(sys.argv[1:])
