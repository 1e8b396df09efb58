"""The packages of the Python client: a wheel with the binary for each machine, and the sources without."""

import os
import pathlib
import subprocess

from project import BUILD, DIST, ROOT, VERSION, Machine

HATCHLING = ROOT / ".build/dist-venv/bin/hatchling"
# A static binary needs no library of the machine, so it fits both of the C libraries that pip distinguishes.
PLATFORMS = "manylinux_2_17_{0}.manylinux2014_{0}.musllinux_1_1_{0}"


def build(machine: Machine, seconds: int) -> list[pathlib.Path]:
    binary = BUILD / machine.name / "postern"
    platforms = PLATFORMS.format(machine.name)
    _run("wheel", seconds, WHEEL_BINARY=str(binary), WHEEL_PLATFORMS=platforms)
    return [DIST / f"postern_accounts-{VERSION}-py3-none-{platforms}.whl"]


def build_sources(seconds: int) -> list[pathlib.Path]:
    _run("sdist", seconds)
    return [DIST / f"postern_accounts-{VERSION}.tar.gz"]


def _run(target: str, seconds: int, **variables: str) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(seconds), **variables}
    command = [HATCHLING, "build", "--target", target, "--directory", DIST]
    subprocess.run(command, cwd=ROOT / "clients/python", check=True, env=environment, capture_output=True)
