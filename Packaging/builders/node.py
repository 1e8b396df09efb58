"""The packages of the Node client: the client, and one for each machine with the binary, of which npm installs one."""

import json
import pathlib

from archives import Entries, Entry, gzipped, tar
from project import DIST, NOTICES, ROOT, VERSION, Machine, files_below

CLIENT = ROOT / "clients/node"


def build(machine: Machine, seconds: int) -> list[pathlib.Path]:
    name = f"postern-accounts-linux-{machine.node}"
    manifest = {
        "name": name,
        "version": VERSION,
        "description": f"The binary of postern-accounts for Linux on {machine.node}",
        "license": "MIT",
        "os": ["linux"],
        "cpu": [machine.node],
        # A program cannot be run from inside an archive, as Yarn keeps packages.
        "preferUnplugged": True,
    }
    files = {"bin/postern": Entry(machine.binary.read_bytes(), 0o755), **{path.name: Entry.of(path) for path in NOTICES}}
    return [_pack(name, manifest, files, seconds)]


def build_client(seconds: int) -> list[pathlib.Path]:
    manifest = json.loads((CLIENT / "package.json").read_text())
    if manifest["version"] != VERSION:
        raise SystemExit("clients/node/package.json has another version than VERSION: run make generate")
    parts = ["README.md", "LICENSE", *manifest["files"]]
    paths = [path for path in files_below(CLIENT) if str(path.relative_to(CLIENT)).split("/")[0] in parts]
    files = {str(path.relative_to(CLIENT)): Entry.of(path) for path in paths}
    # The tests' commands need the sources.
    manifest.pop("scripts", None)
    return [_pack(manifest["name"], manifest, files, seconds)]


def _pack(name: str, manifest: dict[str, object], files: Entries, seconds: int) -> pathlib.Path:
    files = files | {"package.json": Entry((json.dumps(manifest, indent=2) + "\n").encode())}
    path = DIST / f"{name}-{VERSION}.tgz"
    # npm expects one folder at the top, named package.
    path.write_bytes(gzipped(tar({f"package/{file}": entry for file, entry in files.items()}, seconds)))
    return path
