"""Times a clean debug build, a clean release build and the test suite, and writes the figures to build.json.

Usage: build.py, with make's SWIFT, RELEASE and TEST in the environment. It does not change existing builds.
"""

import datetime
import os
import subprocess
import tempfile
import time

import results
from harness import HERE

ROOT = os.path.dirname(HERE)
SWIFT = os.environ["SWIFT"]
RELEASE = os.environ["RELEASE"].split()
TEST = os.environ["TEST"].split()
CHECK = ["--explicit-target-dependency-import-check", "error"]


def seconds(*command):
    begun = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return round(time.perf_counter() - begun, 1)


def main():
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, ".build")) as scratch:
        apart = ["--scratch-path", scratch]
        taken = {"clean debug build": seconds(SWIFT, "build", *apart, *CHECK)}
        taken["build of the tests after it"] = seconds(SWIFT, "build", "--build-tests", *apart, *CHECK)
        taken["test suite"] = seconds(SWIFT, *TEST, *apart)
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, ".build")) as scratch:
        taken["clean release build"] = seconds(SWIFT, *RELEASE, "--scratch-path", scratch)
    for name, value in taken.items():
        print(f"{name}: {value:,.1f} s")
    today = datetime.date.today().isoformat()
    results.keep("build.json", {"date": today, "commit": results.commit(), "seconds": taken})


main()
