#!/usr/bin/python3
"""A defective binary: it runs the binary SOUND_POSTERN and changes its replies according to MUTANT.

    lost       every twentieth reply is dropped
    mixed      every twentieth reply swaps its id with the next one
    wordless   errors have neither their code nor their message
    plain      non-ASCII letters become question marks
    failing    the exit code is 3
    none       no change: each check must pass
"""

import io
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading


def main():
    mutant = os.environ["MUTANT"]
    process = subprocess.Popen(
        [os.environ["SOUND_POSTERN"], *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    threading.Thread(target=hand_on_requests, args=(process.stdin,), daemon=True).start()
    replies = queue.Queue()
    threading.Thread(target=read_replies, args=(process.stdout, replies), daemon=True).start()
    try:
        for has_headers, text in damaged(replies, mutant):
            head = f"Content-Length: {len(text)}\r\n\r\n".encode() if has_headers else b""
            sys.stdout.buffer.write(head + text + (b"" if has_headers else b"\n"))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The peer has closed the output; the program must handle that.
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


def read_replies(stream, replies):
    """Puts replies into a queue, each with whether it has headers, and None at the end."""
    stream = io.BufferedReader(stream)
    while line := stream.readline():
        length = re.fullmatch(rb"Content-Length: (\d+)\r\n", line)
        if length:
            stream.readline()
            replies.put((True, stream.read(int(length[1]))))
        else:
            replies.put((False, line.rstrip(b"\n")))
    replies.put(None)


def damaged(replies, mutant):
    """The replies with the defect of a mutant."""
    count = 0
    while reply := replies.get():
        count += 1
        has_headers, text = reply
        if mutant == "lost" and count % 20 == 0:
            continue
        if mutant == "mixed" and count % 20 == 0:
            yield from mixed(reply, replies)
            continue
        if mutant == "wordless":
            text = re.sub(rb'"code":-?\d+,"message":"[^"]*"', b'"code":0,"message":""', text)
        if mutant == "plain":
            text = re.sub(rb"[\x80-\xff]", b"?", text)
        yield has_headers, text


def mixed(reply, replies):
    """A reply and the next one with swapped ids; the reply unchanged if no other is under way."""
    try:
        other = replies.get(timeout=0.1)
    except queue.Empty:
        other = None
    if other is None:
        return [reply]
    (has_headers, first), (_, second) = reply, other
    first, second = json.loads(first), json.loads(second)
    first["id"], second["id"] = second["id"], first["id"]
    return [(has_headers, json.dumps(message).encode()) for message in (first, second)]


main()
