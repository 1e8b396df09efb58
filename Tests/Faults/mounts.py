"""File systems for a while: in memory, on an image through a loop device, bound, and through FUSE.

All but the first need root; what a machine cannot do raises `Unavailable`, with a word.
"""

import contextlib
import os
import shutil
import subprocess


class Unavailable(Exception):
    """The machine cannot do that."""


def run(*command):
    """Runs a command that must succeed."""
    if shutil.which(command[0]) is None:
        raise Unavailable(f"{command[0]} is missing")
    outcome = subprocess.run(command, capture_output=True, text=True)
    if outcome.returncode != 0:
        raise Unavailable(f"{' '.join(command)}: {outcome.stderr.strip()}")
    return outcome.stdout


@contextlib.contextmanager
def mounted(place, *arguments):
    """A file system at a place that is made, and gone again afterwards."""
    if os.geteuid() != 0:
        raise Unavailable("mounting takes root")
    os.makedirs(place, exist_ok=True)
    run("mount", *arguments, place)
    try:
        yield place
    finally:
        run("umount", "-l", place)


def memory(place, size):
    """A tmpfs of some bytes."""
    return mounted(place, "-t", "tmpfs", "-o", f"size={size}", "none")


def image(place, path, *options):
    """The file system on an image, through a loop device."""
    return mounted(place, "-o", ",".join(("loop",) + options), path)


@contextlib.contextmanager
def read_only(place, source):
    """A directory in another place, where nothing can be written."""
    with mounted(place, "--bind", source):
        run("mount", "-o", "remount,ro,bind", place)
        yield place


@contextlib.contextmanager
def fuse(place, source):
    """A directory in another place, by way of FUSE."""
    if not os.path.exists("/dev/fuse"):
        raise Unavailable("/dev/fuse is missing")
    os.makedirs(place, exist_ok=True)
    run("bindfs", source, place)
    try:
        yield place
    finally:
        run("umount", "-l", place)
