"""The Debian package: the program, its man page and completions, units for systemd, and a system user."""

import datetime
import email.utils
import os
import pathlib
import subprocess
import tempfile
import textwrap

from archives import Entries, Entry, gzipped, write_tree
from builders import tarball
from project import DESCRIPTION, DIST, MAINTAINER, NOTICES, ROOT, SUMMARY, VERSION, Machine

SOURCES = ROOT / "Packaging/debian"
DOCUMENTS = "usr/share/doc/postern"
# Debian's shells look for packaged completions of zsh in another directory than for those of an administrator.
MOVED = {"share/zsh/site-functions/_postern": "share/zsh/vendor-completions/_postern"}

COMMON_LICENSES = b"""On Debian systems, these licenses are in /usr/share/common-licenses/LGPL-2.1, /usr/share/common-licenses/Apache-2.0
and /usr/share/common-licenses/GPL-3.
"""


def build(machine: Machine, seconds: int) -> list[pathlib.Path]:
    files = _files(machine, seconds)
    size = sum(len(entry.data or b"") for entry in files.values())
    control = {
        "control": Entry(_control(machine, size).encode()),
        "conffiles": Entry(b"".join(f"/{name}\n".encode() for name in files if name.startswith("etc/"))),
        **{name: Entry((SOURCES / name).read_bytes(), 0o755) for name in ["postinst", "prerm", "postrm"]},
    }
    path = DIST / f"postern_{VERSION}_{machine.debian}.deb"
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        tree.chmod(0o755)
        write_tree(files | {f"DEBIAN/{name}": entry for name, entry in control.items()}, tree, seconds)
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", folder, path]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(seconds)}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return [path]


def _files(machine: Machine, seconds: int) -> Entries:
    files = {f"usr/{MOVED.get(name, name)}": entry for name, entry in tarball.installed(machine).items()}
    manual = files.pop("usr/share/man/man1/postern.1")
    files["usr/share/man/man1/postern.1.gz"] = Entry(gzipped(manual.data or b""))
    files |= {f"lib/systemd/system/{path.name}": Entry.of(path) for path in sorted((SOURCES / "units").iterdir())}
    hardening = Entry.of(SOURCES / "hardening.conf")
    files |= {f"{name}.d/hardening.conf": hardening for name in sorted(files) if name.endswith(".service")}
    files["usr/lib/postern/backup"] = Entry((SOURCES / "backup").read_bytes(), 0o755)
    files["etc/default/postern"] = Entry.of(SOURCES / "default")
    files[f"{DOCUMENTS}/copyright"] = Entry(b"\n".join([*(path.read_bytes() for path in NOTICES), COMMON_LICENSES]))
    files[f"{DOCUMENTS}/changelog.gz"] = Entry(gzipped(_changelog(seconds).encode()))
    files["usr/share/lintian/overrides/postern"] = Entry.of(SOURCES / "lintian-overrides")
    return files


def _control(machine: Machine, size: int) -> str:
    return (
        (SOURCES / "control")
        .read_text()
        .format(
            version=VERSION,
            architecture=machine.debian,
            maintainer=MAINTAINER,
            kilobytes=(size + 1023) // 1024,
            summary=SUMMARY,
            description="\n ".join(textwrap.wrap(DESCRIPTION, 74)),
        )
    )


def _changelog(seconds: int) -> str:
    date = email.utils.format_datetime(datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc))
    return f"postern ({VERSION}) stable; urgency=medium\n\n  * CHANGELOG.md of the sources has the changes.\n\n -- {MAINTAINER}  {date}\n"
