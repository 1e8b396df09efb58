#!/usr/bin/python3
"""Drives the binary with random sessions and checks every reply.

    sessions.py BINARY [--seconds N] [--seed NUMBER] [--session NUMBER] [--requests N]

A session is one process on a new directory store, asked a few hundred requests over one of three framings: lines,
Content-Length headers, or tools/call of the Model Context Protocol. The requests are built from schema/openrpc.json: the
examples, with the credentials and codes that earlier replies and mails held, some of them changed in value, type, name or
length, some of them malformed, in batches, as notifications, or pipelined. Checked are:

- every request gets exactly one reply with its id, and a notification gets none
- a reply is valid JSON with either a result or an error; a result fits the method's schema; an error is one that the
  method declares, or one of JSON-RPC's own, and never -32603
- no password that was sent, and no credential or code that was given out, is in stderr
- the process ends with exit code 0 once its input ends, and `postern check` finds the store sound

A session is determined by the seed and its number, but for what the process draws itself; a session that fails is printed
with both, and `--seed S --session N` plays it alone, with each request and reply on stdout.

`--seconds` is how long new sessions are started; the default is SESSION_SECONDS, or 60. The exit code is 1 where a
session failed or none was played.
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
    """Plays one session; its counts."""
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
        except Exception as error:  # noqa: BLE001 - the other sessions have their turn
            failed += 1
            print(f"NOT HELD session {number}: {type(error).__name__}: {error}", flush=True)
        counts["sessions"] += 1
        number += 1
        if options.session is not None or time.monotonic() > end or failed >= 5:
            break
    told = ", ".join(f"{counts[what]} {what}" for what in ("sessions", "results", "errors", "malformed"))
    print(f"{told}, {failed} failed", flush=True)
    # Sessions in which nothing succeeded, or nothing was refused, have tested nothing.
    sys.exit(0 if not failed and counts["results"] and counts["errors"] and counts["malformed"] else 1)


if __name__ == "__main__":
    main()
