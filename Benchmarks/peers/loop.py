"""A minimal hand-written host: parse, look up, answer, without authentication."""

import sys

import orjson

results = {"operators.clients.get": {"clients": [], "provision": 1}}
write = sys.stdout.buffer.write
for line in sys.stdin.buffer:
    message = orjson.loads(line)
    write(orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": results[message["method"]]}) + b"\n")
    if len(sys.argv) > 1:
        sys.stdout.buffer.flush()
