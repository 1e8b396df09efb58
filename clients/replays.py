"""Replays all transcripts of schema/cases through a bare pipe and through every client, and compares the replies byte
by byte, except the digits of numbers and, in JavaScript, of times: JavaScript rounds long numbers, and the Date of
JavaScript has milliseconds.

Usage: replays.py BINARY [CLIENT …]. Each client's program prints one line for each reply; its output must equal the
bare pipe's.
"""

import concurrent.futures
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys

CLIENTS = pathlib.Path(__file__).resolve().parent
sys.path.append(str(CLIENTS / "python/tests"))

from transcripts import all_transcripts  # noqa: E402

DETERMINISTIC_FLAGS = (CLIENTS.parent / "schema/cases/flags.txt").read_text().split()

PROGRAMS = {
    "python": (["python3", "tests/replay.py"], "python", {"PYTHONPATH": "src"}),
    "node": (["node", "testing/replay.js"], "node", {}),
    "go": (["go", "run", "./internal/replay"], "go", {}),
    "swift": (["swift", "run", "--skip-build", "PosternClientTrials", "replay"], "..", {}),
}


class BarePipe:
    """The binary, without a client."""

    def __init__(self, binary, arguments):
        self.process = subprocess.Popen(
            [binary, *DETERMINISTIC_FLAGS, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def reply_to(self, method, params):
        """The reply to a request, without the id."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method}
        if params is not None:
            request["params"] = params
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        return {name: reply[name] for name in reply if name in ("result", "error")}

    def close(self):
        self.process.stdin.close()
        assert self.process.stdout.read() == b""
        assert self.process.wait() == 0


def bare_lines(binary):
    """The expected output of the replay programs."""
    lines = []
    for transcript in all_transcripts():
        pipe = BarePipe(binary, transcript.arguments)
        steps = transcript.play()
        step = next(steps, None)
        while step is not None:
            reply = pipe.reply_to(step.method, step.params)
            line = {"case": step.case, "line": step.line, "reply": reply}
            lines.append(json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
            try:
                step = steps.send(reply)
            except StopIteration:
                step = None
        pipe.close()
    return lines


MICROSECONDS = re.compile(r'(T\d\d:\d\d:\d\d\.\d{3})\d{3}Z"')


def in_milliseconds(lines):
    """Lines with their times as JavaScript keeps them."""
    return [MICROSECONDS.sub(r'\1Z"', line) for line in lines]


def rounded(line):
    """A line of JSON with its numbers as doubles."""
    try:
        value = json.loads(line, parse_int=float)
    except ValueError:
        return line
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def output_of(name, binary):
    """The output of a client's program, as a completed process."""
    command, folder, variables = PROGRAMS[name]
    return subprocess.run(
        command,
        cwd=CLIENTS / folder,
        env={**os.environ, **variables, "POSTERN_BIN": binary},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def main(binary, clients):
    # A client waits for each reply, so each keeps only one core busy.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bare = pool.submit(bare_lines, binary)
        outcomes = {name: pool.submit(output_of, name, binary) for name in clients or PROGRAMS}
    expected = [rounded(line) for line in bare.result()]
    failures = 0
    for name, pending in outcomes.items():
        outcome = pending.result()
        lines = [rounded(line) for line in outcome.stdout.removesuffix("\n").split("\n")]
        # The untyped calls of the Node client return all digits of a time, the typed ones do not.
        same = (in_milliseconds(lines), in_milliseconds(expected)) if name == "node" else (lines, expected)
        if outcome.returncode == 0 and same[0] == same[1]:
            print(f"{name}: {len(lines)} replies, as through a bare pipe")
            continue
        failures += 1
        print(f"{name}: exit code {outcome.returncode}, {len(lines)} of {len(expected)} replies\n{outcome.stderr}")
        print("\n".join(list(difflib.unified_diff(expected, lines, "bare pipe", name, lineterm="", n=0))[:20]))
    print(f"{len(outcomes) - failures} passed, {failures} failed")
    return min(failures, 1)


if __name__ == "__main__":
    if len(sys.argv) < 2 or set(sys.argv[2:]) - set(PROGRAMS):
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:]))
