"""Compares what `postern salvage` saves of damaged stores with what an independent reader of the files finds.

Usage: salvage.py BINARY [SEED [COUNT]], with the simulation's binary, which writes the stores and damages them.

The reader knows the format of the files and nothing else of the program: it takes a line if its checksum is right.
Every record that it finds must be saved with the same value, unless a line that it could not read has written the
record too.
"""

import json
import re
import subprocess
import sys

TABLE = []
for number in range(256):
    for _ in range(8):
        number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
    TABLE.append(number)

SEAL = re.compile(rb',"([0-9a-f]{8})"\]$')
CHECK = re.compile(rb',"c":"([0-9a-f]{8})"')
SLOT = re.compile(rb'\["([0-9a-f]{8})",(\{[^{}]*\})\]')
KEYS = re.compile(rb'\["((?:cells|secrets|mails|links)/id/[^"]*)"')


def crc(content, before=0):
    """The CRC-32C of bytes, continued from another one."""
    value = before ^ 0xFFFFFFFF
    for byte in content:
        value = TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def header_check(line):
    """The checksum of a header; None if the header is damaged."""
    found = CHECK.search(line)
    if found is None or line[found.end() :].rstrip() != b"}" or crc(line[: found.start()]) != int(found[1], 16):
        return None
    return int(found[1], 16)


class Reader:
    """Reads the files of one epoch."""

    def __init__(self):
        self.records = {}
        # The keys of lines that could not be read.
        self.doubtful = set()

    def read_base(self, content):
        header, _, rest = content.partition(b"\n")
        check = header_check(header)
        offset = len(header) + 1
        for line in rest.split(b"\n"):
            seal = SEAL.search(line)
            if check is not None and seal is not None and self.is_entry(line[: seal.start()], seal[1], check, offset):
                key, value, _ = json.loads(line)
                self.set(key, value)
            else:
                self.doubt(line)
            offset += len(line) + 1

    @staticmethod
    def is_entry(content, seal, check, offset):
        mark = offset ^ (offset >> 32) * 0x9E3779B9 & 0xFFFFFFFF
        return crc(content, check ^ mark) == int(seal, 16)

    def read_journal(self, content):
        header, _, rest = content.rstrip(b"\t").partition(b"\n")
        check = header_check(header)
        for line in rest.split(b"\n"):
            found = CHECK.search(line)
            written = int(found[1], 16) if found else None
            if check is not None and found is not None and crc(line[: found.start()], check) == written:
                self.apply(line[: found.start()], line[found.end() :], written)
            else:
                self.doubt(line)
            # The next line continues from the checksum that this line has, even if the line is damaged.
            check = written

    def apply(self, content, slots, check):
        # A value is not told apart from another one by its place, which may have moved, but by the key in it.
        found = {}
        for slot in SLOT.finditer(slots):
            if crc(slot[2], check) == int(slot[1], 16):
                value = json.loads(slot[2])
                found[f"secrets/id/{value['slot']:010}"] = value
        for write in json.loads(content + b"}")["w"]:
            if len(write) == 2:
                self.set(write[0], write[1])
                continue
            self.set(write[0], found.get(write[0]))

    def set(self, key, value):
        # A later line that can be read decides.
        self.doubtful.discard(key)
        self.records[key] = value

    def doubt(self, line):
        self.doubtful.update(key.decode(errors="replace") for key in KEYS.findall(line))
        if line.strip(b"\t\0"):
            # The key itself may be what is damaged.
            self.doubtful.update(key for key in self.records if key.encode()[-10:] in line)


def epoch_of(files):
    """The epoch that the manifest names, or that of the earliest journal, or else of the latest base."""
    epochs = sorted(int(re.search(r"\d+", name)[0]) for name in files if name != "manifest.json")
    manifest = whole_manifest(files)
    journals = [epoch for epoch in epochs if f"journal-{epoch}.jsonl" in files]
    return manifest["epoch"] if manifest and manifest["epoch"] in epochs else (journals or epochs[-1:])[0]


def whole_manifest(files):
    """The manifest as a value; None if it is damaged."""
    manifest = files.get("manifest.json", b"")
    is_whole = manifest.endswith(b'"}\n') and manifest.count(b"\n") == 1
    return json.loads(manifest) if is_whole and header_check(manifest) is not None else None


def bases_of(files, epoch):
    """The bases of an epoch, the newest first. Without a manifest, the header of a base names the one below it.

    If that header or the base itself is lost, the next older base follows.
    """
    manifest = whole_manifest(files)
    if manifest and manifest["epoch"] == epoch:
        segments = manifest.get("segments") or [manifest["segment"] or {}]
        return [files.get(segment.get("file"), b"") for segment in segments]
    bases = []
    while epoch is not None:
        base = files.get(f"base-{epoch}.jsonl")
        header = b"" if base is None else base.split(b"\n")[0] + b"\n"
        if base is not None:
            bases.append(base)
        if header_check(header) is not None:
            below = json.loads(header).get("below")
            epoch = below and int(re.search(r"\d+", below)[0])
        else:
            numbers = [int(name[5:-6]) for name in files if name.startswith("base-")]
            epoch = max((number for number in numbers if number < epoch), default=None)
    return bases


def faults_of(image):
    """What a salvage has lost or changed."""
    files = {name: bytes.fromhex(content) for name, content in image["files"].items()}
    epoch = epoch_of(files)
    reader = Reader()
    for base in reversed(bases_of(files, epoch)):
        reader.read_base(base)
    reader.read_journal(files.get(f"journal-{epoch}.jsonl", b""))
    faults = []
    compared = 0
    # Two cells have one name if the line is lost that changed the name of the first. Only one of them can be saved.
    # The other one may be in a line that the reader cannot read.
    cells = {**image["saved"], **{key: value for key, value in reader.records.items() if value}}
    names = [cell["name"] for key, cell in cells.items() if key.startswith("cells/id/")]
    for key, value in reader.records.items():
        if "/id/" not in key or key.startswith("counters/") or value is None or key in reader.doubtful:
            continue
        if key not in image["saved"] and names.count(value.get("name")) > 1:
            continue
        compared += 1
        if image["saved"].get(key) != value:
            faults.append(f"{key} is {image['saved'].get(key)}, and the files have {value}")
    return faults, compared


def main(binary, seed="1", count="500"):
    command = [binary, "--salvage", "--seed", seed, "--count", count]
    images, records, failed = 0, 0, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            image = json.loads(line)
            faults, compared = faults_of(image)
            images, records = images + 1, records + compared
            if faults:
                failed += 1
                print(f"seed {image['seed']}, {image.get('damages')}:")
                print("\n".join(f"  {fault}" for fault in faults[:5]))
    print(f"{images} damaged stores from seed {seed}, {records} records found by both, {failed} failed")
    return 1 if failed or process.returncode != 0 or not records else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
