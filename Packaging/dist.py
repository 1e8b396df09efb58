"""Builds all packages into dist/, with SHA256SUMS. MACHINES selects machines; SOURCE_DATE_EPOCH is the time of all files.

`make dist` builds the binaries first.
"""

import hashlib
import shutil

from builders import container, debian, go, node, python, tarball
from project import DIST, date_of_sources, selected_machines


def main() -> None:
    seconds = date_of_sources()
    machines = selected_machines()
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    built = [path for machine in machines for kind in (tarball, debian, python, node) for path in kind.build(machine, seconds)]
    built += python.build_sources(seconds) + node.build_client(seconds) + go.build(seconds) + container.build(machines, seconds)
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(DIST)}\n" for path in sorted(built)]
    (DIST / "SHA256SUMS").write_text("".join(sums))
    for path in sorted(built):
        print(f"{path.stat().st_size:>10}  dist/{path.relative_to(DIST)}")


main()
