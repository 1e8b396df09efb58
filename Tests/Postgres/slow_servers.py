"""A server whose processes are stopped with SIGSTOP, as on a machine that swaps or a disk that hangs.

Guarantee: requests fail after the time-out, those that need no store are answered as ever, and memory stays bounded.
When the server continues, the same process serves again, and nothing is lost, doubled, or written in spite of the
error.
"""

import os
import signal
import threading
import time

from databases import slug
from postern import Broken
from server_gone import FIRST_SECONDS_MAX, TIMEOUT_SECONDS, expect_unavailable, hold_back
from servers import Server

NAME = "slow server"
# A commit that is not answered is settled, which takes the time-out once more.
WAITED_SECONDS_MAX = FIRST_SECONDS_MAX + TIMEOUT_SECONDS
INFO_SECONDS_MAX = 0.5
REQUESTS = 3000
GROWTH_BYTES_MAX = 64 << 20


def run(trial):
    for is_crowded in (False, True):
        trial.hold_one(f"stopped, {'many' if is_crowded else 'one'}", lambda many=is_crowded: stopped(trial, many))
    trial.outcome.bite("no fault", trial.finds(lambda: stopped(trial, False, lambda server, number: None)))


def stopped(trial, is_crowded, send=lambda server, number: server.signal_all(number)):
    machine = trial.enter(Server(is_durable=False))
    store = trial.store(trial.database(machine), ["c0@b.co"])
    store.timeout = TIMEOUT_SECONDS
    with store.serve("--replies", "as-completed") as server:
        store.create(server, "before@b.co")
        before = resident_bytes(server)
        send(machine, signal.SIGSTOP)
        try:
            began = time.monotonic()
            clients = [(f"s{number}@b.co", "x" * 500) for number in range(REQUESTS if is_crowded else 1)]
            answered = []
            asking = threading.Thread(target=lambda: answered.extend(store.create_all(server, clients, True)))
            asking.start()
            asking.join(WAITED_SECONDS_MAX + len(clients) * 0.01)
            took = time.monotonic() - began
            if asking.is_alive():
                raise Broken(f"{len(clients)} requests are not answered after {took:.1f} s")
            for reply in answered:
                expect_unavailable(reply)
            growth = resident_bytes(server) - before
            if growth > GROWTH_BYTES_MAX:
                raise Broken(f"the process grows by {growth >> 20} MB")
            trial.outcome.remarks.append(f"{len(clients)} requests fail after {took:.1f} s, {growth >> 10} KB more")
            hold_info(store, server)
        finally:
            send(machine, signal.SIGCONT)
        hold_back(store, server)
        store.ledger.compare(store.listed(server)["result"])
        server.close()
    store.verify()


def hold_info(store, server):
    """While a request waits for the server, one that needs no store is answered."""
    server.send("operators.client.create", **store.client("waits@b.co", "x"))
    store.ledger.doubt("waits@b.co", "x")
    began = time.monotonic()
    server.send("system.info")
    replies = [server.receive(WAITED_SECONDS_MAX)]
    took = time.monotonic() - began
    replies.append(server.receive(WAITED_SECONDS_MAX))
    if took > INFO_SECONDS_MAX or sorted(slug(reply) or "" for reply in replies)[0] != "":
        raise Broken(f"system.info takes {took:.1f} s: {replies}")


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
