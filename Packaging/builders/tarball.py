"""The tarball: what `make install` installs, under one folder, with README and LICENSE."""

import pathlib

from archives import Entries, Entry, gzipped, tar, with_directories
from project import DIST, NOTICES, ROOT, SHELLS, VERSION, Machine, printed_by_program

# Where each shell looks for completions, below a prefix.
COMPLETIONS = {
    "bash": "share/bash-completion/completions/postern",
    "zsh": "share/zsh/site-functions/_postern",
    "fish": "share/fish/vendor_completions.d/postern.fish",
}


def installed(machine: Machine) -> Entries:
    """The files of an installation, by their names below its prefix."""
    return {
        "bin/postern": Entry(machine.binary.read_bytes(), 0o755),
        "share/man/man1/postern.1": Entry(printed_by_program("man")),
        **{COMPLETIONS[shell]: Entry(printed_by_program("completions", shell)) for shell in SHELLS},
    }


def build(machine: Machine, seconds: int) -> list[pathlib.Path]:
    name = f"postern-{VERSION}-linux-{machine.name}"
    files = installed(machine) | {path.name: Entry.of(path) for path in [*NOTICES, ROOT / "README.md"]}
    path = DIST / f"{name}.tar.gz"
    path.write_bytes(gzipped(tar(with_directories({f"{name}/{file}": entry for file, entry in files.items()}), seconds)))
    return [path]
