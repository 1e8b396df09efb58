"""Archives with the same bytes for the same files: sorted names, one time in Unix seconds, fixed owners and compression."""

import dataclasses
import gzip
import io
import os
import pathlib
import stat
import tarfile
import time
import zipfile


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file of an archive, or a directory if it has no data."""

    data: bytes | None
    mode: int = 0o644
    owner: int = 0

    @staticmethod
    def of(path: pathlib.Path) -> "Entry":
        """A file with the content of another. It is executable if the other is."""
        is_program = path.stat().st_mode & stat.S_IXUSR
        return Entry(path.read_bytes(), 0o755 if is_program else 0o644)


Entries = dict[str, Entry]


def with_directories(entries: Entries) -> Entries:
    """The entries, and each directory that a name is in."""
    directories = {str(parent) for name in entries for parent in pathlib.PurePosixPath(name).parents} - {"."}
    return {name: Entry(None, 0o755) for name in directories - entries.keys()} | entries


def tar(entries: Entries, seconds: int) -> bytes:
    """An uncompressed tar archive in the format of POSIX.1-1988 (ustar)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, entry in sorted(entries.items()):
            header = tarfile.TarInfo(name)
            header.mtime, header.mode, header.uid, header.gid = seconds, entry.mode, entry.owner, entry.owner
            if entry.data is None:
                header.type = tarfile.DIRTYPE
                archive.addfile(header)
            else:
                header.size = len(entry.data)
                archive.addfile(header, io.BytesIO(entry.data))
    return stream.getvalue()


def gzipped(data: bytes) -> bytes:
    """The data, compressed, without a name or a time in the header."""
    return gzip.compress(data, compresslevel=9, mtime=0)


def zipped(entries: Entries, seconds: int) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, entry in sorted(entries.items()):
            header = zipfile.ZipInfo(name, time.gmtime(seconds)[:6])
            header.external_attr = (stat.S_IFREG | entry.mode) << 16
            archive.writestr(header, entry.data or b"", zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def write_tree(entries: Entries, folder: pathlib.Path, seconds: int) -> None:
    """Writes the entries as files, owned by this user."""
    for name, entry in sorted(with_directories(entries).items()):
        path = folder / name
        if entry.data is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.write_bytes(entry.data)
        path.chmod(entry.mode)
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (seconds, seconds))
