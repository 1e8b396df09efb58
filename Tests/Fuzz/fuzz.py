#!/usr/bin/python3
"""Fuzzes the program's parsers with libFuzzer.

    fuzz.py [TARGET …] [--seconds N] [--jobs N] [--minimise] [--build-only]

    scanner     the JSON reader
    framing     splitting input into messages
    envelope    parsing and answering messages
    requests    decoding params, and the rules up to password hashing
    journal     reading a journal
    base        reading a base
    import      reading an edited export
    hashes      parsing an imported password hash

Without names, all targets run. Each starts from the inputs in Tests/Fuzz/corpus and from those that earlier runs
found, which are kept in .build/fuzz/corpus. A run fails if an input breaks a property of its target (see Targets),
crashes the program, or takes more than 10 seconds or 1 GB. The input is then in .build/fuzz/crashes.

`--seconds` is the time for each target; the default is FUZZ_SECONDS, or 60. `--jobs` targets run at the same time.
`--minimise` does not fuzz: it replaces the committed corpus by the smallest subset of all known inputs with the same
coverage.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, ".build", "fuzz")
BINARY = os.path.join(BUILD, "postern-fuzz")
COMMITTED = os.path.join(HERE, "corpus")
FOUND = os.path.join(BUILD, "corpus")
CRASHES = os.path.join(BUILD, "crashes")
CONTRACT = os.path.join(ROOT, "schema", "openrpc.json")
MODULES = ["CLibrary", "Platform", "JSON", "JSONRPC", "Store", "DirectoryStore", "Accounts", "Service"]
# The targets, with the maximum length of an input.
TARGETS = {
    "scanner": 4096, "framing": 8192, "envelope": 2048, "requests": 2048, "journal": 512, "base": 256, "import": 16384,
    "hashes": 600,
}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS") or 60))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minimise", action="store_true")
    parser.add_argument("--build-only", action="store_true")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    for name in names:
        if name not in TARGETS:
            parser.error(f"{name} is none of {', '.join(TARGETS)}")
    if not os.environ.get("FUZZ_NO_BUILD"):
        build()
    if options.build_only:
        return
    work = minimise if options.minimise else lambda name: fuzz(name, options.seconds)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(work, names))
    sys.exit(0 if all(outcomes) else 1)


# Building


def build():
    """Compiles the program's modules from their sources with coverage, and links the targets with them.

    SwiftPM cannot link against libFuzzer, which has its own `main`. So SwiftPM compiles the modules, and swiftc
    links.
    """
    scratch = os.path.join(BUILD, "modules")
    flags = ["-c", "release", "--scratch-path", scratch, "-Xswiftc", "-sanitize=fuzzer", "-Xswiftc", "-enable-testing"]
    # No module imports both.
    for module in ("Service", "DirectoryStore"):
        run("swift", "build", "--target", module, *flags, cwd=ROOT)
    output = os.path.join(scratch, "release")
    objects = [
        os.path.join(folder, name)
        for module in MODULES
        for folder, _, names in os.walk(os.path.join(output, f"{module}.build"))
        for name in names
        if name.endswith(".o")
    ]
    targets = os.path.join(HERE, "Targets")
    sources = sorted(os.path.join(targets, name) for name in os.listdir(targets) if name.endswith(".swift"))
    # The targets use declarations of the package, whose name SwiftPM derives from that of the folder.
    with open(os.path.join(scratch, "release.yaml"), encoding="utf-8") as plan:
        package = re.search(r'"-package-name","([^"]+)"', plan.read())[1]
    maps = [f"-fmodule-map-file={ROOT}/Sources/{name}/module.modulemap" for name in ("CLinux", "CCrypt", "CSodium")]
    run(
        "swiftc", "-parse-as-library", "-sanitize=fuzzer", "-O", "-swift-version", "6", "-module-name", "PosternFuzz",
        "-package-name", package,
        "-I", os.path.join(output, "Modules"), *[part for path in maps for part in ("-Xcc", path)],
        *sources, *objects, "-lsodium", "-lcrypt", "-o", BINARY,
    )


def run(*command, cwd=None):
    outcome = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if outcome.returncode != 0:
        sys.exit(f"{' '.join(command[:3])} … failed:\n{outcome.stdout[-8000:]}")


# Running


def fuzz(name, seconds):
    """Runs one target for some seconds. Returns whether it passed."""
    found, crashes = os.path.join(FOUND, name), os.path.join(CRASHES, name)
    for folder in (found, crashes):
        os.makedirs(folder, exist_ok=True)
    before = set(os.listdir(crashes))
    code, output = start(
        name, found, committed(name), f"-max_total_time={seconds}", f"-artifact_prefix={crashes}/",
        "-print_final_stats=1",
    )
    runs = last(r"number_of_executed_units: +(\d+)", output)
    seeds = last(r"INFO: seed corpus: files: (\d+)", output)
    coverage = last(r"cov: (\d+)", output)
    crashed = sorted(set(os.listdir(crashes)) - before)
    # A run without inputs or coverage tests nothing.
    is_clean = code == 0 and not crashed and int(runs) > int(seeds) > 0 and int(coverage) > 0
    print(f"{name}: {runs} runs in {seconds} s from {seeds} inputs, {coverage} edges, {'clean' if is_clean else 'FAILED'}")
    if not is_clean:
        for crash in crashed:
            print(f"    {os.path.join(crashes, crash)}")
        print("    " + "\n    ".join(remarks(output)), flush=True)
    sys.stdout.flush()
    return is_clean


def remarks(output):
    lines = output.splitlines()
    found = [line for line in lines if re.search("PROPERTY BROKEN|ERROR|Fatal error|SUMMARY", line)]
    return (found or lines[-20:])[:20]


def last(pattern, output):
    found = re.findall(pattern, output)
    return found[-1] if found else "0"


def minimise(name):
    """Replaces a target's committed corpus by a small one with the coverage of all known inputs."""
    fresh = tempfile.mkdtemp(prefix=f"{name}-", dir=BUILD)
    code, output = start(name, "-merge=1", fresh, committed(name), os.path.join(FOUND, name))
    if code != 0 or not os.listdir(fresh):
        print(f"{name}: the corpus is unchanged\n    " + "\n    ".join(remarks(output)))
        return False
    kept = [file for file in os.listdir(committed(name)) if file.startswith("regression-")]
    for file in os.listdir(committed(name)):
        if file not in kept:
            os.unlink(os.path.join(committed(name), file))
    for file in os.listdir(fresh):
        shutil.move(os.path.join(fresh, file), os.path.join(committed(name), file))
    shutil.rmtree(fresh)
    size = sum(os.path.getsize(os.path.join(committed(name), file)) for file in os.listdir(committed(name)))
    print(f"{name}: {len(os.listdir(committed(name)))} inputs, {size} bytes")
    return True


def committed(name):
    return os.path.join(COMMITTED, name)


def start(name, *arguments):
    """Runs the binary on one target. Returns its exit code and output."""
    roomy = os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 1 << 28
    scratch = tempfile.mkdtemp(prefix="postern-fuzz-", dir="/dev/shm" if roomy else None)
    words = os.path.join(scratch, "words.dict")
    with open(words, "w") as file:
        file.write(dictionary())
    environment = {
        **os.environ, "FUZZ_TARGET": name, "FUZZ_SCRATCH": scratch, "FUZZ_CONTRACT": CONTRACT,
        # The backtracer of Swift's runtime would take seconds for each crash.
        "SWIFT_BACKTRACE": "enable=no",
    }
    try:
        outcome = subprocess.run(
            [BINARY, f"-dict={words}", f"-max_len={TARGETS[name]}", "-timeout=10", "-rss_limit_mb=1024", *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return outcome.returncode, outcome.stdout.decode(errors="replace")


def dictionary():
    """Tokens of the parsed formats, and the names of the contract's methods and params."""
    with open(CONTRACT) as file:
        methods = json.load(file)["methods"]
    words = {method["name"] for method in methods} | set(names_in([method["params"] for method in methods]))
    words |= {"Content-Length: ", "\r\n\r\n", "\\u", "\\ud800", '"id":', '"method":', '"params":', '"jsonrpc":"2.0"'}
    words |= {"null", "true", "false", '":"', '","', '":{"', '"w":[["', '",null]', '"s":[["', '"d":', '"n":', '"c":"'}
    words |= {"@session@", "@token@", "@other@", "@referral@", "@key@", "@code@"}
    words |= {'{"end":true}', '{"counter":"', '","value":', '{"collection":"', '","record":{"'}
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"\n' for word in sorted(words))


def names_in(value):
    """The names of params and of their properties."""
    if isinstance(value, list):
        for element in value:
            yield from names_in(element)
    elif isinstance(value, dict):
        if isinstance(value.get("name"), str):
            yield value["name"]
        if isinstance(value.get("properties"), dict):
            yield from value["properties"]
        for member in value.values():
            yield from names_in(member)


if __name__ == "__main__":
    main()
