"""Installs the wheel and the sources with pip in clean environments, and runs a first session with nothing on the PATH."""

import pathlib
import sys
import time
import zipfile

from builders.python import PLATFORMS
from project import DIST, ROOT, VERSION, Machine
from trials.trial import INFO, Times, expect, expect_info, play_tour, run, runner

SESSION = """
from postern_accounts import Postern, errors, find_postern_bin
with Postern(":memory:", arguments=["--no-email-confirmation"]) as postern:
    person = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
    postern.operators.register(user=person, password="a long password")
    try:
        postern.operators.signin(email="lasoren@bu.edu", password="a wrong password")
    except errors.operators.WrongPassword:
        print(postern.operators.signin(email="lasoren@bu.edu", password="a long password").user.first_name)
"""
NOT_FOUND = """
import postern_accounts
for find in (postern_accounts.find_postern_bin, lambda: postern_accounts.Postern(":memory:")):
    try:
        find()
    except postern_accounts.BinaryNotFound as error:
        print(error)
"""
# Where pip may put a program, and how the interpreter then finds the package.
TARGETS = {
    "prefix": (["--prefix", "there"], f"there/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"),
    "target": (["--target", "there"], "there"),
}


def tried(machine: Machine, folder: pathlib.Path, times: Times) -> None:
    wheel = DIST / f"postern_accounts-{VERSION}-py3-none-{PLATFORMS.format(machine.name)}.whl"
    run(ROOT / ".build/dist-venv/bin/twine", "check", "--strict", wheel, folder=folder)
    if runner(machine):
        with zipfile.ZipFile(wheel) as archive:
            program = pathlib.Path(archive.extract(f"postern_accounts-{VERSION}.data/scripts/postern", folder))
        program.chmod(0o755)
        play_tour([*runner(machine), program], folder)
        return
    started = time.monotonic()
    python = _environment(folder / "venv")
    run(python, "-m", "pip", "install", "--quiet", "--no-index", wheel, folder=folder)
    expect(run(python, "-c", SESSION, folder=folder, variables={"PATH": ""}) == "Luke\n", "the first session failed")
    times.first_reply("Python, wheel", started)
    expect_info(run(folder / "venv/bin/postern", "--data", ":memory:", folder=folder, given=INFO))
    for name, (options, packages) in TARGETS.items():
        (folder / name).mkdir()
        bare = _environment(folder / name / "venv")
        run(bare, "-m", "pip", "install", "--quiet", "--no-index", *options, wheel, folder=folder / name)
        path = {"PATH": "", "PYTHONPATH": str(folder / name / packages)}
        expect(run(bare, "-c", SESSION, folder=folder, variables=path) == "Luke\n", f"no session after pip install --{name}")


def tried_sources(folder: pathlib.Path) -> None:
    """Builds a wheel from the sources, which has the client only, and says what is missing."""
    sources = DIST / f"postern_accounts-{VERSION}.tar.gz"
    run(ROOT / ".build/dist-venv/bin/twine", "check", "--strict", sources, folder=folder)
    python = _environment(folder / "venv")
    run(
        ROOT / ".build/dist-venv/bin/pip",
        "wheel",
        "--quiet",
        "--no-index",
        "--no-build-isolation",
        "--no-deps",
        sources,
        folder=folder,
    )
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        folder / f"postern_accounts-{VERSION}-py3-none-any.whl",
        folder=folder,
    )
    messages = run(python, "-c", NOT_FOUND, folder=folder).splitlines()
    expect(len(messages) == 2 and all("postern" in line for line in messages), f"without a program: {messages}")


def _environment(path: pathlib.Path) -> pathlib.Path:
    """A new virtual environment's interpreter."""
    run("/usr/bin/python3", "-m", "venv", path, folder=path.parent)
    return path / "bin/python"
