"""What the measurements share: a running postern, and requests to it."""

import json
import subprocess
import threading
import time


class Postern:
    def __init__(self, binary, *arguments):
        self.process = subprocess.Popen(
            [binary, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def call(self, method, **params):
        self.send(request(method, params))
        return json.loads(self.process.stdout.readline())["result"]

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def time_of(self, data, replies):
        """Seconds from the first byte written to the last reply read, writing beside reading."""
        start = time.perf_counter()
        writer = threading.Thread(target=self.send, args=(data,))
        writer.start()
        read_lines(self.process.stdout, replies)
        writer.join()
        return time.perf_counter() - start

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def request(method, params, number=1):
    return (json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n").encode()


def read_lines(stream, count):
    while count > 0:
        chunk = stream.read1(1 << 20)
        assert chunk, "the program ended early"
        count -= chunk.count(b"\n")


def operator(postern):
    person = {"first_name": "A", "last_name": "B", "email": "a@b.co"}
    registered = postern.call("operators.register", user=person, password="password")
    return {"user_id": registered["id"], "session_id": registered["session_id"]}


def client(number):
    person = {"first_name": "Michael", "last_name": "Sorenson", "email": f"c{number}@bu.edu"}
    return {"user": person, "address": "14 Barnesdale Rd. Natick, MA 01760"}
