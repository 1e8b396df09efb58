#!/usr/bin/python3
"""Sends random sessions to the binary and checks every reply.

    sessions.py BINARY [--seconds N] [--seed NUMBER] [--session NUMBER] [--requests N]

A session is one process on a new directory store, which gets a few hundred requests in one of three framings: lines,
Content-Length headers, or tools/call of the Model Context Protocol. The requests are built from the examples in
schema/openrpc.json, with the credentials and codes of earlier replies and mails. Some are changed in a value, type,
name or length; some are malformed, in batches, notifications, or pipelined. The checks:

- every request gets exactly one reply with its id, and a notification gets none
- a reply is valid JSON with either a result or an error; a result matches the method's schema; an error is declared
by
  the method or by JSON-RPC, and is never -32603
- stderr contains no password that was sent, and no credential or code that was returned
- the process exits with 0 at the end of its input, and `postern check` finds no fault in the store

The seed and the number determine a session, except for the process's own random values. A failed session is printed
with both, and `--seed S --session N` runs it alone, with each request and reply on stdout.

`--seconds` is the time in which new sessions start; the default is SESSION_SECONDS, or 60. The exit code is 1 if a
session failed or none ran.
"""

import argparse
import collections
import os
import random
import sys
import time

from contract import Contract
from session import Session


def play(contract, options, number):
    """Runs one session. Returns its counts."""
    session = Session(contract, os.path.abspath(options.binary), options.seed, number, options.session is not None)
    try:
        session.play(options.requests)
        return session.counts
    finally:
        session.close()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("SESSION_SECONDS") or 60))
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--session", type=int)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    contract = Contract()
    end = time.monotonic() + options.seconds
    counts, failed, number = collections.Counter(), 0, options.session or 0
    print(f"seed {options.seed}", flush=True)
    while True:
        try:
            counts += play(contract, options, number)
        except Exception as error:  # noqa: BLE001 - the other sessions must run too
            failed += 1
            print(f"FAILED session {number}: {type(error).__name__}: {error}", flush=True)
        counts["sessions"] += 1
        number += 1
        if options.session is not None or time.monotonic() > end or failed >= 5:
            break
    summary = ", ".join(f"{counts[what]} {what}" for what in ("sessions", "results", "errors", "malformed"))
    print(f"{summary}, {failed} failed", flush=True)
    # Sessions without any success, or without any refusal, test nothing.
    sys.exit(0 if not failed and counts["results"] and counts["errors"] and counts["malformed"] else 1)


if __name__ == "__main__":
    main()
