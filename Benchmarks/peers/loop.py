"""What a host would write by hand: parse, look up, answer, and ask nobody who they are."""

import sys

import orjson

results = {"operators.clients.get": {"clients": [], "provision": 1}}
write = sys.stdout.buffer.write
for line in sys.stdin.buffer:
    message = orjson.loads(line)
    write(orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": results[message["method"]]}) + b"\n")
    if len(sys.argv) > 1:
        sys.stdout.buffer.flush()
