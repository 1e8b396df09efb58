"""A Debian that runs its own systemd in a folder, in namespaces of its own."""

import contextlib
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Iterator

from project import BUILD
from trials.trial import Failed, expect

# `make test-dist` installs it once.
BASE = BUILD / "bookworm"
BOOT = """
set -e
mount --bind "$1" "$1"
mount --make-private "$1"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/run"
mount -t tmpfs tmpfs "$1/sys"
mkdir -p "$1/sys/fs/cgroup"
# Control groups, version 2 if the kernel gives them to systemd, else version 1.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
else
    mkdir -p "$1/sys/fs/cgroup/systemd" "$1/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "$1/sys/fs/cgroup/systemd"
fi
exec chroot "$1" env -i container=other /lib/systemd/systemd --system --show-status=0
"""
BOOT_SECONDS_MAX = 60


class System:
    """A running system. Its root is `root`."""

    def __init__(self, root: pathlib.Path, process: int) -> None:
        self.root = root
        self._enter = ["nsenter", f"--target={process}", "--mount", "--pid", "--uts", "--ipc", "--root", "--wd"]

    def run(self, *command: str, code: int | None = 0, given: str = "") -> str:
        """Runs a command in the system, and returns what it prints. Fails if the exit code is another; None is any."""
        variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        outcome = subprocess.run(
            [*self._enter, *command], env=variables, input=given, capture_output=True, text=True, timeout=120, check=False
        )
        output = outcome.stdout + outcome.stderr
        if code is not None and outcome.returncode != code:
            raise Failed(f"{' '.join(command)}: exit code {outcome.returncode}, not {code}\n{output[-3000:]}")
        return output

    def until(self, what: str, *command: str, seconds: float = 30) -> None:
        """Runs a command until it succeeds."""
        end = time.monotonic() + seconds
        while subprocess.run([*self._enter, *command], capture_output=True, check=False).returncode:
            expect(time.monotonic() < end, f"not within {seconds} s: {what}")
            time.sleep(0.1)


@contextlib.contextmanager
def booted() -> Iterator[System]:
    """A system that has just started, over a copy of the base that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        process = None
        root = pathlib.Path(folder) / "root"
        try:
            for name in ["upper", "work", "root"]:
                (pathlib.Path(folder) / name).mkdir(mode=0o755)
            layers = f"lowerdir={BASE},upperdir={folder}/upper,workdir={folder}/work"
            subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", root], check=True)
            # systemd gets its session and namespaces, and is killed with all it started.
            command = ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--cgroup"]
            process = subprocess.Popen(
                [*command, "bash", "-c", BOOT, "boot", root],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            system = System(root, _child(process.pid))
            system.until("systemd is running", "systemctl", "is-system-running", "--quiet", seconds=BOOT_SECONDS_MAX)
            yield system
        finally:
            if process is not None:
                process.kill()
                process.wait()
            subprocess.run(["umount", "--recursive", "--lazy", folder], check=True)


def _child(process: int) -> int:
    """The process that unshare has started, which becomes systemd."""
    end = time.monotonic() + BOOT_SECONDS_MAX
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
            if children and pathlib.Path(f"/proc/{children[0]}/comm").read_text() == "systemd\n":
                return int(children[0])
        time.sleep(0.05)
    raise Failed("systemd did not start")
