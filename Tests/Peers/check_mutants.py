#!/usr/bin/python3
"""Checks that each mutation of mutant.py still changes the binary's replies, and that `none` changes nothing.

    check_mutants.py BINARY

`peers.py --teeth` takes minutes; this takes a second. If a mutation's pattern no longer matched, every peer would
pass.
"""

import json
import os
import subprocess
import sys

from checks import DETERMINISTIC_FLAGS
from peers import HERE, MUTANTS

ARGUMENTS = [*DETERMINISTIC_FLAGS, "--replies", "in-order"]


def session(has_headers):
    """Requests whose replies are results, errors and non-ASCII text, more of them than any mutation counts up to."""
    user = {"email": "a@b.co", "password": "p", "role": "user", "first_name": "Zoë"}
    requests = [("care.user.register", user), ("care.user.view", {}), ("no.such.method", {})]
    requests += [("system.info", {})] * 45
    text = b""
    for number, (method, params) in enumerate(requests):
        message = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
        text += b"Content-Length: %d\r\n\r\n%s" % (len(message), message) if has_headers else message + b"\n"
    return text


def main():
    binary = os.path.abspath(sys.argv[1])
    wrong = 0
    for has_headers in (False, True):
        given = session(has_headers)
        sound = answers([binary], given)
        for mutant in MUTANTS:
            environment = {"SOUND_POSTERN": binary, "MUTANT": mutant}
            is_changed = answers([sys.executable, os.path.join(HERE, "mutant.py")], given, environment) != sound
            if is_changed != (mutant != "none"):
                wrong += 1
                framing = "headers" if has_headers else "lines"
                print(f"{mutant}: over {framing} the replies are {'changed' if is_changed else 'unchanged'}")
    sys.exit(1 if wrong else 0)


def answers(command, given, environment=()):
    outcome = subprocess.run(
        command + ARGUMENTS, input=given, capture_output=True, env={**os.environ, **dict(environment)}, timeout=60
    )
    if not outcome.stdout:
        sys.exit(f"{command[-1]} writes no reply: {outcome.stderr.decode(errors='replace')}")
    return outcome.stdout, outcome.returncode


if __name__ == "__main__":
    main()
