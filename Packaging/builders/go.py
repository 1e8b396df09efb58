"""The Go module, as a directory that GOPROXY can name (https://go.dev/ref/mod#goproxy-protocol)."""

import datetime
import json
import pathlib

from archives import Entry, zipped
from project import DIST, ROOT, VERSION, files_below

CLIENT = ROOT / "clients/go"
MODULE = "github.com/postern-accounts/postern-go"


def build(seconds: int) -> list[pathlib.Path]:
    version = f"v{VERSION}"
    folder = DIST / "go" / MODULE / "@v"
    folder.mkdir(parents=True)
    modified = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    files = [*files_below(CLIENT), ROOT / "LICENSE"]
    names = {path: path.name if path.parent == ROOT else str(path.relative_to(CLIENT)) for path in files}
    contents = {
        "list": f"{version}\n".encode(),
        f"{version}.info": json.dumps({"Version": version, "Time": modified}).encode(),
        f"{version}.mod": (CLIENT / "go.mod").read_bytes(),
        f"{version}.zip": zipped({f"{MODULE}@{version}/{names[path]}": Entry(path.read_bytes()) for path in files}, seconds),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]
