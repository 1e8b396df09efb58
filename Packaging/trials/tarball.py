"""Unpacks the tarball in an empty folder, which becomes the root of the file system, and runs the program there."""

import pathlib
import subprocess
import time

from project import DIST, NOTICES, VERSION, Machine
from trials.trial import INFO, Times, expect, expect_info, play_tour, run, runner

C_PROGRAM = r"""
#include <stdio.h>
int main(void) {
    FILE *replies = popen("printf '%s\\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"system.info\"}' | postern --data :memory:", "r");
    char line[65536];
    while (fgets(line, sizeof line, replies)) fputs(line, stdout);
    return pclose(replies);
}
"""


def unpack(machine: Machine, folder: pathlib.Path) -> pathlib.Path:
    name = f"postern-{VERSION}-linux-{machine.name}"
    run("tar", "-xzf", DIST / f"{name}.tar.gz", folder=folder)
    return folder / name


def tried(machine: Machine, folder: pathlib.Path, times: Times) -> None:
    started = time.monotonic()
    root = unpack(machine, folder)
    program = root / "bin/postern"
    if runner(machine):
        play_tour([*runner(machine), program], folder)
    else:
        expect_info(run(program, "--data", ":memory:", folder=folder, given=INFO))
        times.first_reply("shell, tarball", started)
        _call_from_c(program, folder, times)
        play_tour(["chroot", root, "/bin/postern"], folder)
    for name in ["README.md", *(path.name for path in NOTICES), "share/man/man1/postern.1"]:
        expect((root / name).stat().st_size > 500, f"{name} is empty")
    version = run(*runner(machine), program, "version", folder=folder)
    expect(version == f"postern {VERSION}\n", f"the version is {version!r}")
    owners = subprocess.run(["tar", "-tvzf", DIST / f"{root.name}.tar.gz"], check=True, capture_output=True, text=True).stdout
    expect(all(" 0/0 " in line for line in owners.splitlines()), "a file of the tarball has an owner")


def _call_from_c(program: pathlib.Path, folder: pathlib.Path, times: Times) -> None:
    (folder / "example.c").write_text(C_PROGRAM)
    started = time.monotonic()
    run("gcc", "-o", "example", "example.c", folder=folder)
    expect_info(run("./example", folder=folder, variables={"PATH": f"{program.parent}:/usr/bin:/bin"}))
    times.first_reply("C, popen", started)
