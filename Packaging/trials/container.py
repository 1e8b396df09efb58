"""Unpacks the image with other programs, and runs it as PID 1, as its user, with its root as the file system."""

import json
import pathlib
import time

from builders.container import NAME, STORE, USER
from project import DIST, VERSION, Machine
from trials.trial import INFO, Times, expect, expect_info, play_tour, run, runner

LAYOUT = DIST / f"postern-{VERSION}-oci"


def tried(machine: Machine, folder: pathlib.Path, times: Times) -> None:
    started = time.monotonic()
    platform = ["--override-arch", machine.container, "--override-os", "linux"]
    # skopeo chooses the machine's image of the index, from the archive and from the folder.
    run("skopeo", *platform, "copy", "--quiet", f"oci-archive:{LAYOUT}.tar:{NAME}", f"oci:{folder}/image:latest", folder=folder)
    run("umoci", "unpack", "--image", f"{folder}/image:latest", folder / "bundle", folder=folder)
    root = folder / "bundle/rootfs"
    if runner(machine):
        play_tour([*runner(machine), root / "usr/bin/postern"], folder)
        return
    settings = json.loads((folder / "bundle/config.json").read_text())["process"]
    expect(settings["user"]["uid"] == settings["user"]["gid"] == USER, f"the user is {settings['user']}")
    first = ["unshare", "--fork", "--pid", "--mount", "/usr/sbin/chroot", f"--userspec={USER}:{USER}", str(root)]
    variables = dict(word.split("=", 1) for word in settings["env"])
    # The store is a directory in the volume, and survives the container.
    expect_info(run(*first, *settings["args"], folder=folder, variables=variables, given=INFO))
    times.first_reply("container, OCI image", started)
    store = root / STORE.removeprefix("/")
    expect(store.stat().st_uid == USER, "the store belongs to another user")
    run(*first, "/usr/bin/postern", "check", folder=folder, variables=variables)
    play_tour([*first, "/usr/bin/postern"], folder)
    _cannot_write_elsewhere(first, folder)
    details = json.loads(run("skopeo", *platform, "inspect", f"oci:{LAYOUT}:{NAME}", folder=folder))
    expect(details["Labels"]["org.opencontainers.image.version"] == VERSION, f"the labels are {details['Labels']}")


def _cannot_write_elsewhere(first: list[str], folder: pathlib.Path) -> None:
    run(*first, "/usr/bin/postern", "serve", "--data", "/usr/accounts", folder=folder, given=INFO, code=1)
