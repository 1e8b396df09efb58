"""Takes one safeguard after another out of the store, and shows that the simulation notices it.

Usage: mutants.py [NAME …]. Each mutant is a change of one place in a copy of the sources, which is compiled. The
simulation must find a broken promise within SECONDS.
"""

import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / ".build/mutants"
SECONDS = 300
STORE = "Sources/DirectoryStore/"

# The name, the file, what is replaced, and with what. The old text must be in the file exactly once.
MUTANTS = [
    (
        "sync left out",
        "Files/SyncMarks.swift",
        "        try sync()\n        noteSynced(epoch: epoch, length: written)",
        "        noteSynced(epoch: epoch, length: written)",
    ),
    (
        "synced mark ahead of the sync",
        "Files/SyncMarks.swift",
        "        try sync()\n        noteSynced(epoch: epoch, length: written)\n",
        "        noteSynced(epoch: epoch, length: written)\n        try sync()\n",
    ),
    (
        "written mark ahead of the write",
        "Journal/Journal.swift",
        "        let unsynced = try unsyncedLines()\n",
        "        marks?.noteWritten(epoch: epoch, length: length + writer.bytes.count)\n"
        "        let unsynced = try unsyncedLines()\n",
    ),
    (
        "marks of another epoch",
        "Files/SyncMarks.swift",
        "word >> lengthBits == tag(epoch) ? Int(word & (1 << lengthBits - 1)) : 0",
        "Int(word & (1 << lengthBits - 1))",
    ),
    ("wake left out", "Files/SyncMarks.swift", "            words.wake(Self.syncs)\n", ""),
    (
        "lock released before the write",
        "LocalEngine.swift",
        "            if hasWritten { try directory.append(staged, ends: ends) }\n"
        "            directory.endWriting()\n",
        "            directory.endWriting()\n"
        "            if hasWritten { try directory.append(staged, ends: ends) }\n",
    ),
    (
        "epoch not looked at",
        "Files/StoreDirectory.swift",
        "        if try currentStamp() != manifestStamp { return true }\n        return try journal.hasNews()",
        "        return try journal.hasNews()",
    ),
    (
        "readings acknowledged without a sync",
        "LocalEngine.swift",
        "            if directory.journal.needsSync { try directory.journal.sync() }\n        } catch {",
        "            if hasWritten, directory.journal.needsSync { try directory.journal.sync() }\n        } catch {",
    ),
    (
        "erasure before the commit is durable",
        "LocalEngine.swift",
        "            directory.endWriting()\n            if directory.journal.needsSync",
        "            if hasWritten { directory.journal.erase() }\n"
        "            directory.endWriting()\n            if directory.journal.needsSync",
    ),
    (
        "erasure left out",
        "Journal/JournalLine.swift",
        '        try file.write([UInt8](repeating: UInt8(ascii: " "), count: inside.count), at: inside.startIndex)\n',
        "        _ = inside\n",
    ),
    ("torn end not cut", "Journal/Journal+Reading.swift", "        try file.truncate(to: length)\n", ""),
    (
        "torn end cut one byte late",
        "Journal/Journal+Reading.swift",
        "        try file.truncate(to: length)\n",
        "        try file.truncate(to: length + 1)\n",
    ),
    (
        "torn end cut one byte early",
        "Journal/Journal+Reading.swift",
        "        try file.truncate(to: length)\n",
        "        try file.truncate(to: length - 1)\n",
    ),
    (
        "hole judged as damage",
        "Journal/JournalReplay.swift",
        "        guard tail.hasHole(in: length..<end) else { return false }",
        "        return false",
    ),
    (
        "lines not written again after a crash",
        "Journal/Journal+Reading.swift",
        "            try file.write(bytes, at: offset)\n",
        "",
    ),
    (
        "failed sync forgotten",
        "Journal/Journal.swift",
        "            state = .failed(error.withOutcome(unknown: false))\n"
        "            throw error.withOutcome(unknown: true)",
        "            throw error.withOutcome(unknown: true)",
    ),
    (
        "failed write not removed",
        "Journal/Journal+FailedWrites.swift",
        "            try file.truncate(to: length)\n            fileBytes = length\n        } catch {\n"
        "            // The next process",
        "            fileBytes = length\n        } catch {\n            // The next process",
    ),
    (
        "line after a gap",
        "Journal/Journal+FailedWrites.swift",
        "        guard hasUnsyncedNews else { return [] }",
        "        guard false else { return [] }",
    ),
    (
        "removals left out of a base",
        "Base/BaseWriter.swift",
        "!value.isRemoval || kept.mayHave(key)",
        "!value.isRemoval",
    ),
    (
        "later base without its entries",
        "Compaction/NextEpoch.swift",
        "try writeBase(of: space.newest(bases: 0), erasable)",
        "try writeBase(of: LayeredSpace(), erasable)",
    ),
    (
        "manifest renamed before it is synced",
        "Files/StoreFiles.swift",
        "        try write(manifest.bytes, to: Manifest.temporaryName)\n",
        "        try File(Manifest.temporaryName, in: directory, .replacing, calls: calls)"
        ".write(manifest.bytes, at: 0)\n",
    ),
    (
        "names of new files not synced before the manifest",
        "Files/StoreFiles.swift",
        "        try directory.sync()\n        try directory.rename(",
        "        try directory.rename(",
    ),
    (
        "name of the manifest not synced",
        "Files/StoreFiles.swift",
        "to: Manifest.fileName)\n        try directory.sync()\n",
        "to: Manifest.fileName)\n",
    ),
    (
        "base not synced",
        "Base/BaseWriter.swift",
        "        try flush()\n        try file.sync()\n",
        "        try flush()\n",
    ),
    (
        "next journal not synced",
        "Compaction/NextEpoch.swift",
        "try slot.erase(in: journalFile) }\n        try journalFile.sync()\n",
        "try slot.erase(in: journalFile) }\n",
    ),
    (
        "last transactions not carried over",
        "Compaction/NextEpoch.swift",
        "        try carry(try transactions(of: old, upTo: old.status().bytes, isAll: true))\n",
        "",
    ),
    (
        "old files removed before the new manifest",
        "Compaction/NextEpoch.swift",
        "        try files.install(manifest)\n        eraseValues(in: old)\n"
        "        Self.remove(source.filesReplaced, in: files.directory)\n",
        "        Self.remove(source.filesReplaced, in: files.directory)\n"
        "        try files.install(manifest)\n        eraseValues(in: old)\n",
    ),
    (
        "compaction over a newer one",
        "Compaction/Compaction.swift",
        "guard try files.manifest()?.0 == source.manifest else { return .skipped }",
        "_ = files",
    ),
    (
        "torn end saved under a name in use",
        "Files/StoreFiles.swift",
        "        while names.contains(name) {\n            copy += 1\n"
        '            name = "\\(first)-\\(copy)"\n        }\n',
        '        copy = names.filter { $0 == first || $0.hasPrefix(first + "-") }.count + 1\n'
        '        if copy > 1 { name = "\\(first)-\\(copy)" }\n',
    ),
]


def prepare():
    """Copies the sources that the simulation needs, and keeps what was built before."""
    COPY.mkdir(parents=True, exist_ok=True)
    names = subprocess.run(
        ["git", "ls-files", "Package.swift", "Sources", "Tests", "clients/swift"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    for name in filter(None, names):
        source, target = ROOT / name, COPY / name
        if target.exists() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def build():
    outcome = subprocess.run(
        ["swift", "build", "-c", "release", "--product", "Simulation"],
        cwd=COPY,
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        print(outcome.stdout[-3000:], outcome.stderr[-1000:])
        sys.exit("a mutant does not compile")


def broken_promise():
    """Builds the simulation, runs it, and returns the first broken promise that it prints; None if it finds none."""
    build()
    outcome = subprocess.run(
        [COPY / ".build/release/Simulation", "--seed", "1", "--seconds", str(SECONDS), "--until-failure"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in outcome.stdout.split("\n") if line.startswith("seed ")]
    if bool(found) != (outcome.returncode == 1):
        sys.exit(f"the simulation ended with exit code {outcome.returncode}: {outcome.stderr[:1000]}")
    return found[0] if found else None


def is_found(name, path, old, new):
    """Whether the simulation finds a broken promise of a mutant."""
    file = COPY / STORE / path
    source = file.read_text()
    if source.count(old) != 1:
        sys.exit(f"{name}: {path} has the text {source.count(old)} times")
    file.write_text(source.replace(old, new))
    try:
        promise = broken_promise()
    finally:
        file.write_text(source)
    print(f"{name}: {(promise or 'NOT FOUND')[:200]}", flush=True)
    return promise is not None


def main(wanted):
    prepare()
    chosen = [mutant for mutant in MUTANTS if not wanted or mutant[0] in wanted]
    if unknown := set(wanted) - {mutant[0] for mutant in chosen}:
        sys.exit(f"no mutant has the name {', '.join(sorted(unknown))}")
    # Without a mutant, nothing must be found.
    if promise := broken_promise():
        sys.exit(f"the store itself breaks a promise: {promise}")
    missed = [mutant[0] for mutant in chosen if not is_found(*mutant)]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} mutants found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
