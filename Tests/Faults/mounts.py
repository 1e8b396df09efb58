"""Temporary file systems: in memory, on an image through a loop device, bind-mounted, and through FUSE.

All but the first need root. `Unavailable` says what the machine cannot do.
"""

import contextlib
import os
import shutil
import subprocess


class Unavailable(Exception):
    """The machine does not support the operation."""


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
    """A file system that is mounted at a new directory and unmounted afterwards."""
    if os.geteuid() != 0:
        raise Unavailable("mounting needs root")
    os.makedirs(place, exist_ok=True)
    run("mount", *arguments, place)
    try:
        yield place
    finally:
        run("umount", "-l", place)


def memory(place, size):
    """A tmpfs of `size` bytes."""
    return mounted(place, "-t", "tmpfs", "-o", f"size={size}", "none")


def image(place, path, *options):
    """The file system on an image, mounted through a loop device."""
    return mounted(place, "-o", ",".join(("loop",) + options), path)


@contextlib.contextmanager
def read_only(place, source):
    """A read-only bind mount of a directory."""
    with mounted(place, "--bind", source):
        run("mount", "-o", "remount,ro,bind", place)
        yield place


@contextlib.contextmanager
def fuse(place, source):
    """A mount of a directory through FUSE."""
    if not os.path.exists("/dev/fuse"):
        raise Unavailable("/dev/fuse is missing")
    os.makedirs(place, exist_ok=True)
    run("bindfs", source, place)
    try:
        yield place
    finally:
        run("umount", "-l", place)


class Disk:
    """A mounted ext4 file system with an image that can be copied instantly."""

    def __init__(self, place, image):
        self.place, self._image = place, image

    def copy(self, name):
        """Copies the current image. Returns the path of the copy."""
        path = os.path.join(os.path.dirname(self._image), name)
        run("cp", "--reflink=always", self._image, path)
        return path


@contextlib.contextmanager
def disk(scratch, xfs_bytes, ext4_bytes):
    """A disk that can be copied: ext4 on an image on XFS on an image."""
    os.makedirs(scratch)
    below = os.path.join(scratch, "xfs.img")
    with open(below, "wb") as file:
        file.truncate(xfs_bytes)
    run("mkfs.xfs", "-q", "-m", "reflink=1", below)
    with image(os.path.join(scratch, "xfs"), below) as xfs:
        above = os.path.join(xfs, "ext4.img")
        with open(above, "wb") as file:
            file.truncate(ext4_bytes)
        run("mkfs.ext4", "-q", "-F", above)
        with image(os.path.join(scratch, "ext4"), above) as place:
            yield Disk(place, above)
