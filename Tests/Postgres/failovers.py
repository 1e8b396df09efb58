"""Failovers of a cluster of three servers under Patroni, while four processes write.

    failovers.py BINARY [--count NUMBER] [--only FAULT] [--seed NUMBER] [--logs FOLDER]

The guarantee: no acknowledged write is lost, none is doubled, and within 30 seconds there is service again, by all
processes soon after another server can write, without a restart of any. The cluster has `synchronous_mode_strict`,
without which what was acknowledged can be lost.

The faults, in turn, each of the primary:

    kill       Patroni and the server are killed, as by a loss of power
    unplug     nothing reaches the machine any more
    part       the machine reaches neither etcd nor the other machines, while clients still reach it
    freeze     all processes are stopped with SIGSTOP, until the machine's watchdog ends them. (Without a watchdog, Patroni 3.0 takes
               the lead back when it continues, and what the other server has acknowledged is lost.)

For each failover a line: the fault, the writes that were acknowledged, lost and doubled, the errors, the writes with an
unknown outcome, and the refused ones; then the seconds until another server committed a write of psql, the longest
time without any acknowledged write, and the seconds until all four processes had one. The self-test runs a failover in
which commits wait for no standby and the standbys are behind: the same checks must find lost writes.

The exit code is 1 if a write was lost or doubled, if the service was away for longer, or if the self-test found
nothing. Needs Debian's patroni and etcd-server; as root iproute2, for network namespaces: without them, `unplug` and
`part` are left out.
"""

import argparse
import contextlib
import dataclasses
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import cluster as clusters
from databases import PostgresStore, PostgresTrial
from postern import Program
from postgres_crowd import PostgresCrowd
from servers import SQLFailed

COUNT = 10
BEFORE_SECONDS = 4
AFTER_SECONDS = 4
GAP_SECONDS_MAX = 30
# How long after another server can write all processes serve.
LATER_SECONDS_MAX = 15
FAILOVER_SECONDS_MAX = 90
TIMEOUT_SECONDS = 5
PROBE_SECONDS = 1
CARELESS_MAX = 3
FAULTS = {"kill": "start", "unplug": "plug", "part": "unpart", "freeze": "reset"}
NEED_NETWORK = {"unplug", "part"}
COLUMNS = "number | fault | acknowledged | lost | doubled | errors | unknown | unavailable | server s | gap s | all s"


@dataclasses.dataclass
class Result:
    """What a failover did."""

    acknowledged: int
    wrong: dict
    unknown: int
    unavailable: int
    # The seconds until another server committed a write, and the longest time without an acknowledged one.
    server: float | None
    gap: float
    all_after: float | None

    @property
    def lost(self):
        return len(self.wrong.get("stale or lost", []))

    @property
    def doubled(self):
        return len(self.wrong.get("doubled", []))

    @property
    def errors(self):
        return len(self.wrong.get("error", []))

    @property
    def is_good(self):
        if self.wrong or self.server is None or self.all_after is None:
            return False
        return self.gap <= GAP_SECONDS_MAX and self.all_after - self.server <= LATER_SECONDS_MAX

    def __str__(self):
        columns = [self.acknowledged, self.lost, self.doubled, self.errors, self.unknown, self.unavailable]
        times = ["never" if time is None else f"{time:.1f}" for time in (self.server, self.gap, self.all_after)]
        return " | ".join(str(column) for column in [*columns, *times])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--only", choices=FAULTS, action="append")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--logs", help="keeps the logs of the servers and of the processes in this folder")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="postern-failovers-")
    trial = PostgresTrial(Program(options.binary), scratch, options.seed)
    print(f"seed {options.seed}", flush=True)
    try:
        with clusters.Cluster(options.logs) as cluster:
            is_good = run(trial, cluster, options)
    finally:
        trial.close()
        shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(0 if is_good else 1)


def run(trial, cluster, options):
    kinds = [kind for kind in options.only or FAULTS if cluster.network or kind not in NEED_NETWORK]
    print(COLUMNS, flush=True)
    results = []
    for number, kind in zip(range(1, options.count + 1), itertools.cycle(kinds)):
        result = failover(trial, cluster, kind, f"failover{number}")
        results.append(result)
        print(f"{number} | {kind} | {result}" + ("" if result.is_good else " | FAILED"), flush=True)
        for kind_of_fault, texts in result.wrong.items():
            for text in texts[:3]:
                print(f"    {kind_of_fault}: {text}", flush=True)
    # It depends on the moment whether a write is lost.
    found = next(filter(None, (careless(trial, cluster, f"careless{number}") for number in range(CARELESS_MAX))), "")
    print(f"self-test: without a synchronous standby: {found or 'FOUND NOTHING'}", flush=True)
    total = sum(result.acknowledged for result in results)
    lost, doubled = sum(result.lost for result in results), sum(result.doubled for result in results)
    print(
        f"{len(results)} failovers, {total} acknowledged, {lost} lost, {doubled} doubled, "
        f"{sum(result.unknown for result in results)} unknown, at most {max(result.gap for result in results):.1f} s "
        "without service", flush=True
    )
    return bool(found) and all(result.is_good for result in results)


def failover(trial, cluster, kind, name, prepare=lambda cluster, primary: None, repair=lambda cluster: None):
    """A crowd on a new database whose server's primary has a fault."""
    cluster.create_database(name)
    cluster.sql("CREATE TABLE public.probe (n int)", name)
    store = store_in(trial, cluster, name)
    moments = {}

    def trouble(crowd):
        try:
            crowd.pause(BEFORE_SECONDS)
            primary = cluster.primary()
            prepare(cluster, primary)
            moments["fault"] = time.monotonic()
            getattr(primary, kind)()
            end = moments["fault"] + FAILOVER_SECONDS_MAX
            others = [node for node in cluster.nodes if node is not primary]
            while crowd.served_after(moments["fault"] + 1) is None and time.monotonic() < end:
                if "server" not in moments and is_writable(others, name):
                    moments["server"] = time.monotonic()
                time.sleep(0.1)
            time.sleep(AFTER_SECONDS)
            # The former primary comes back while processes write.
            getattr(primary, FAULTS[kind])()
            time.sleep(AFTER_SECONDS)
            repair(cluster)
        finally:
            crowd.end = time.monotonic()

    crowd = PostgresCrowd(trial, store, trouble)
    crowd.before_last_read = lambda: wait_for_sql(cluster)
    crowd.logs = cluster.logs and os.path.join(cluster.logs, name)
    checker = crowd.run(FAILOVER_SECONDS_MAX * 3)
    fault = moments.get("fault", time.monotonic())
    return Result(
        crowd.acknowledged, checker.wrong, crowd.done["outcome_unknown"], crowd.done["unavailable"],
        moments["server"] - fault if "server" in moments else None, crowd.gap(fault, crowd.end),
        crowd.served_after(fault + 1),
    )


def is_writable(nodes, name):
    """Whether one of the servers commits a write."""
    for node in nodes:
        with contextlib.suppress(SQLFailed):
            node.sql("INSERT INTO public.probe VALUES (1)", name, seconds=PROBE_SECONDS)
            return True
    return False


def wait_for_sql(cluster):
    """Waits until the database can be written, for the last reads of a run."""
    end = time.monotonic() + FAILOVER_SECONDS_MAX
    while time.monotonic() < end:
        try:
            return cluster.sql("CREATE TABLE IF NOT EXISTS public.last (n int); DROP TABLE public.last", seconds=5)
        except SQLFailed:
            time.sleep(0.2)


def store_in(trial, cluster, name):
    """A store in a database of the cluster."""
    store = PostgresStore.make(trial.program, cluster.uri(name))
    store.timeout = TIMEOUT_SECONDS
    return store


def careless(trial, cluster, name):
    """What the checks find if commits wait for no standby, and the standbys do not get them."""
    others = []

    def prepare(cluster, primary):
        primary.sql(f"ALTER DATABASE {name} SET synchronous_commit = local")
        primary.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        others.extend(node for node in cluster.nodes if node is not primary)
        # The standbys receive nothing more, and do not know it.
        primary.sql("SELECT pg_sleep(0.5)")
        for process in receivers(others):
            os.kill(process, signal.SIGSTOP)
        time.sleep(2)

        def kill_receivers():
            time.sleep(0.5)
            for process in receivers(others):
                os.kill(process, signal.SIGKILL)

        threading.Thread(target=kill_receivers).start()

    result = failover(trial, cluster, "kill", name, prepare)
    return ", ".join(f"{len(texts)} {kind}" for kind, texts in result.wrong.items())


def receivers(nodes):
    """The ids of the processes that receive the log of the primary."""
    found = []
    for node in nodes:
        for process in node.processes():
            try:
                with open(f"/proc/{process}/cmdline") as file:
                    if "walreceiver" in file.read():
                        found.append(process)
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


if __name__ == "__main__":
    main()
