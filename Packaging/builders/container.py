"""The container image, for all machines, as an OCI image layout: a folder, and the same as a tar archive.

The image has the program, the user 65532, and /data. It starts `postern serve` on /data/accounts. It has no curl, so
another image that copies the program from it sends mails to a mail server.
https://github.com/opencontainers/image-spec/blob/v1.0.2/image-layout.md
"""

import datetime
import hashlib
import json
import pathlib

from archives import Entries, Entry, gzipped, tar, with_directories, write_tree
from project import DIST, NOTICES, SUMMARY, VERSION, Machine

USER = 65532
IMAGE = "application/vnd.oci.image."
STORE = "/data/accounts"
# The name of the image, which podman load gives it too.
NAME = f"postern:{VERSION}"


def build(machines: list[Machine], seconds: int) -> list[pathlib.Path]:
    blobs: Entries = {}
    index = _index([_image(machine, blobs, seconds) for machine in machines])
    inner = _add(blobs, index, f"{IMAGE}index.v1+json")
    # The name of the image in this layout.
    inner["annotations"] = {"org.opencontainers.image.ref.name": NAME}
    files = blobs | {
        "oci-layout": Entry(b'{"imageLayoutVersion":"1.0.0"}'),
        "index.json": Entry(_json(_index([inner]))),
    }
    name = f"postern-{VERSION}-oci"
    write_tree(files, DIST / name, seconds)
    (DIST / f"{name}.tar").write_bytes(tar(with_directories(files), seconds))
    return [DIST / f"{name}.tar"]


def _image(machine: Machine, blobs: Entries, seconds: int) -> dict[str, object]:
    """Adds the image for a machine, and returns its descriptor."""
    layer = tar(_root(machine), seconds)
    created = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    configuration = {
        "created": created,
        "architecture": machine.container,
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Env": ["PATH=/usr/bin", f"POSTERN_DATA={STORE}"],
            "Entrypoint": ["/usr/bin/postern"],
            "Cmd": ["serve"],
            "Volumes": {"/data": {}},
            "WorkingDir": "/data",
            "Labels": {
                "org.opencontainers.image.title": "postern",
                "org.opencontainers.image.description": SUMMARY,
                "org.opencontainers.image.version": VERSION,
                "org.opencontainers.image.licenses": "MIT",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        "history": [{"created": created, "created_by": "make dist"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{IMAGE}manifest.v1+json",
        "config": _add(blobs, _json(configuration), f"{IMAGE}config.v1+json"),
        "layers": [_add(blobs, gzipped(layer), f"{IMAGE}layer.v1.tar+gzip")],
    }
    descriptor = _add(blobs, _json(manifest), manifest["mediaType"])
    return descriptor | {"platform": {"architecture": machine.container, "os": "linux"}}


def _root(machine: Machine) -> Entries:
    """The files of the image."""
    return with_directories(
        {
            "usr/bin/postern": Entry(machine.binary.read_bytes(), 0o755),
            "etc/passwd": Entry(f"root:x:0:0:root:/:/\npostern:x:{USER}:{USER}:postern:/data:/\n".encode()),
            "etc/group": Entry(f"root:x:0:\npostern:x:{USER}:\n".encode()),
            "tmp": Entry(None, 0o1777),
            "data": Entry(None, 0o700, owner=USER),
            **{f"usr/share/doc/postern/{path.name}": Entry.of(path) for path in NOTICES},
        }
    )


def _index(manifests: list[dict[str, object]]) -> dict[str, object]:
    return {"schemaVersion": 2, "mediaType": f"{IMAGE}index.v1+json", "manifests": manifests}


def _add(blobs: Entries, content: bytes | dict[str, object], media_type: str) -> dict[str, object]:
    """Adds a blob, and returns its descriptor."""
    data = content if isinstance(content, bytes) else _json(content)
    digest = _digest(data)
    blobs[f"blobs/{digest.replace(':', '/')}"] = Entry(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
