"""Packs the same binaries again, from a copy of the sources, and compares each byte."""

import os
import pathlib
import shutil
import subprocess

from project import DIST, ROOT
from trials.trial import expect


def same_bytes_twice(folder: pathlib.Path) -> None:
    """The second time in another folder, with other times of files, another umask, locale and time zone."""
    copy = folder / "elsewhere"
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    for name in names.rstrip("\0").split("\0"):
        target = copy / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
            target.chmod((ROOT / name).stat().st_mode & 0o700)
            os.utime(target, (0, 0))
    # The builders ask git for the names of files.
    for command in (["init", "--quiet"], ["add", "--all", "--force"]):
        subprocess.run(["git", "-C", copy, *command], check=True)
    (copy / ".build").mkdir()
    for name in ["dist", "dist-venv"]:
        (copy / ".build" / name).symlink_to(ROOT / ".build" / name)
    seconds = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], check=True, capture_output=True, text=True).stdout
    variables = {
        **os.environ,
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", seconds.strip()),
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
    }
    subprocess.run(
        ["sh", "-c", "umask 077 && exec python3 Packaging/dist.py"], cwd=copy, env=variables, check=True, stdout=subprocess.DEVNULL
    )
    sums = (DIST / "SHA256SUMS").read_text()
    again = (copy / "dist/SHA256SUMS").read_text()
    differing = sorted(set(sums.splitlines()) ^ set(again.splitlines()))
    expect(not differing, "a second build differs:\n" + "\n".join(differing))
    expect(len(sums.splitlines()) > 8, "SHA256SUMS is too short")
