"""Builds of the program without a protection, which prove that the checks here would notice.

    mutants.py      checks that each mutation still applies to the sources, without building
"""

import glob
import os
import re
import shutil
import subprocess
import sys

from postern import Broken, Program

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# By file: patterns and their replacements. A pattern that no longer matches is an error.
CHECKS = {
    "JournalLine.swift": [
        (r"if let before, CRC32C", "if let before, line.isEmpty, CRC32C"),
        (r"written == CRC32C\.value\(of: bytes, after: check\)", "written == written"),
    ],
    "BaseFile.swift": [
        (r"guard isSealed else", "guard isSealed || seal.count > 0 else"),
    ],
}


def without_checks(trial):
    """The program without the comparison of checksums in journals and bases."""
    tree = os.path.join(trial.scratch, "mutant")
    # Copies everything that Package.swift may refer to, so that no list has to be kept up to date.
    shutil.copytree(TREE, tree, symlinks=True, ignore=shutil.ignore_patterns(".*", "node_modules", "__pycache__"))
    for name in CHECKS:
        path, text = mutated(tree, name)
        with open(path, "w") as file:
            file.write(text)
    build = os.path.join(TREE, ".build", "mutant")
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "postern"]
    command += ["--package-path", tree, "--scratch-path", build]
    built = subprocess.run(["nice", "-n", "5", *command], capture_output=True, text=True)
    if built.returncode != 0:
        raise Broken(f"the build without checks fails: {built.stdout[-2000:]}{built.stderr[-500:]}")
    return Program(os.path.join(build, "release", "postern"))


def mutated(tree, name):
    """The path of a source file, and its text with the mutations applied.

    Raises `Broken` if a pattern does not match exactly once: the source has changed, and the mutation must be
    adapted.
    """
    paths = glob.glob(os.path.join(tree, "Sources", "DirectoryStore", "**", name), recursive=True)
    if len(paths) != 1:
        raise Broken(f"{len(paths)} files named {name} in Sources/DirectoryStore, where the mutation needs one")
    with open(paths[0]) as file:
        text = file.read()
    for pattern, replacement in CHECKS[name]:
        text, count = re.subn(pattern, replacement, text)
        if count != 1:
            raise Broken(f"{name}: {pattern} matches {count} times, where the mutation needs one")
    return paths[0], text


def main():
    try:
        for name in CHECKS:
            mutated(TREE, name)
    except Broken as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
