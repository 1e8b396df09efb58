#!/usr/bin/python3
"""A binary that is not sound: it runs the one of POSTERN_SOUND and does to its replies what MUTANT says.

    lost       a reply of twenty does not arrive
    mixed      of twenty replies, two in a row have each other's id
    wordless   errors have neither their code nor their message
    plain      letters beyond ASCII come as question marks
    failing    the exit code is 3
    none       nothing: each check must hold
"""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading


def main():
    mutant = os.environ["MUTANT"]
    process = subprocess.Popen(
        [os.environ["POSTERN_SOUND"], *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    threading.Thread(target=hand_on_requests, args=(process.stdin,), daemon=True).start()
    replies = read_replies(process.stdout)
    try:
        for has_headers, text in damaged(replies, mutant):
            head = f"Content-Length: {len(text)}\r\n\r\n".encode() if has_headers else b""
            sys.stdout.buffer.write(head + text + (b"" if has_headers else b"\n"))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        process.stdout.close()
    code = process.wait()
    os._exit(3 if mutant == "failing" else code)


def hand_on_requests(sink):
    try:
        while chunk := os.read(0, 1 << 16):
            sink.write(chunk)
    except BrokenPipeError:
        pass
    sink.close()


def read_replies(stream):
    """The replies, each with whether it came behind headers."""
    stream = io.BufferedReader(stream)
    while line := stream.readline():
        length = re.fullmatch(rb"Content-Length: (\d+)\r\n", line)
        if length:
            stream.readline()
            yield True, stream.read(int(length[1]))
        else:
            yield False, line.rstrip(b"\n")


def damaged(replies, mutant):
    """The replies, with the damage of a mutant done to them."""
    held = None
    for count, (has_headers, text) in enumerate(replies, 1):
        if mutant == "lost" and count % 20 == 0:
            continue
        if mutant == "mixed" and count % 20 in (18, 19):
            if held is None:
                held = text
                continue
            first, second = json.loads(held), json.loads(text)
            if isinstance(first, dict) and isinstance(second, dict):
                first["id"], second["id"] = second.get("id"), first.get("id")
            yield has_headers, json.dumps(first).encode()
            text, held = json.dumps(second).encode(), None
        if mutant == "wordless":
            text = re.sub(rb'"code":-?\d+,"message":"[^"]*"', b'"code":0,"message":""', text)
        if mutant == "plain":
            text = re.sub(rb"[\x80-\xff]", b"?", text)
        yield has_headers, text
    if held is not None:
        yield has_headers, held


main()
