"""Faults at system calls, by strace: a kill right before a call, or an error in its place."""

import collections
import os
import re
import shutil

EPOCHS = range(1, 5)
NAMES = ["manifest.json", "manifest.json.tmp", "lock", "lock.merging", "lock.sync"]


def is_available():
    return shutil.which("strace") is not None


def tracing(data, call, output="/dev/null", inject=None):
    """The strace command that traces one call, or `all`, on a store's directory and files only.

    The path filter leaves out the loader's calls, so the counts are the same in every run and thread. strace counts
    the calls of each thread separately.
    """
    names = NAMES + [f"{kind}-{epoch}.jsonl" for kind in ("journal", "base") for epoch in EPOCHS]
    command = ["strace", "-f", "-qq", "-o", output]
    for path in [os.path.dirname(data), data] + [os.path.join(data, name) for name in names]:
        command += ["-P", path]
    if call != "all":
        command += ["--seccomp-bpf"]
    command += ["-e", f"trace={call}"]
    return command + (["-e", f"inject={call}:{inject}"] if inject else [])


def killing(data, call, number):
    """Kills the process right before the call with this number."""
    return tracing(data, call, inject=f"signal=KILL:when={number}")


def delaying(path, call, microseconds):
    """Makes each call on one file return late, when its result may be out of date."""
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-P", path, "-e", f"trace={call}"]
    return command + ["-e", f"inject={call}:delay_exit={microseconds}"]


def failing(data, call, error, number, ever_after=False):
    """Fails the call with this number, or every call from that number on."""
    return tracing(data, call, inject=f"error={error}:when={number}{'+' if ever_after else ''}")


def count(trace):
    """How often each call was made by the thread that made it most often, according to a trace."""
    threads = collections.Counter()
    with open(trace, errors="replace") as lines:
        for line in lines:
            if found := re.match(r"(\d+) +(\w+)\(", line):
                threads[found.groups()] += 1
    calls = {}
    for (_, call), times in threads.items():
        calls[call] = max(calls.get(call, 0), times)
    return calls
