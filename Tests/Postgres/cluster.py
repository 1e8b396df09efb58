"""A cluster of three PostgreSQL servers under Patroni, with etcd, for tests.

As root, each server has a network namespace of its own, so that it can be partitioned from the others; otherwise all
are on 127.0.0.1.

As a program, it runs a command with a cluster, whose address the command finds in TEST_CLUSTER:

    python3 Tests/Postgres/cluster.py psql postgres://…
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from servers import PREDICATE_LOCKS, SQLFailed, Startable, as_server_user, is_running, program, run_sql, server_folder

NODES = 3
# Patroni's times in seconds: a primary that does not renew its lock for `ttl` is replaced.
TIMES = {"ttl": 10, "loop_wait": 2, "retry_timeout": 3}
# The standbys that are hardly behind.
FOLLOWERS = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
FOLLOWERS += " AND abs(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) < 100000"
UP_SECONDS_MAX = 60
HEALED_SECONDS_MAX = 40
# Of its own for each run, so that two can run at the same time.
NETWORK = f"10.91.{os.getpid() % 250}"


class Unavailable(Exception):
    """What the machine does not have."""


class Network:
    """Namespaces on a bridge: 1 is the machine itself, 2 is etcd, and the nodes begin at 11."""

    def __init__(self):
        self.prefix = f"pg{os.getpid()}"
        self.bridge = f"{self.prefix}b"
        self.names = []
        self._run("ip", "link", "add", self.bridge, "type", "bridge")
        try:
            self._run("ip", "address", "add", f"{NETWORK}.1/24", "dev", self.bridge)
            self._run("ip", "link", "set", self.bridge, "up")
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _run(*command):
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        if outcome.returncode != 0:
            raise Unavailable(f"{' '.join(command)}: {outcome.stderr.strip()}")

    def add(self, number):
        """A new namespace with an address. Returns its name."""
        name = f"{self.prefix}n{number}"
        self._run("ip", "netns", "add", name)
        self.names.append(name)
        self._run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        self._run("ip", "link", "set", name, "master", self.bridge, "up")
        for command in (f"address add {NETWORK}.{number}/24 dev eth0", "link set eth0 up", "link set lo up"):
            self._run("ip", "-n", name, *command.split())
        return name

    def unplug(self, name, is_unplugged=True):
        """A namespace loses its link, or gets it back."""
        self._run("ip", "link", "set", name, "down" if is_unplugged else "up")

    def part(self, name, others, is_parted=True):
        """A namespace cannot reach other addresses, or can again."""
        for other in others:
            self._run("ip", "-n", name, "route", "add" if is_parted else "delete", "blackhole", f"{other}/32")

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "delete", self.bridge], capture_output=True, check=False)


class Process:
    """A program in a namespace, as the user of servers."""

    def __init__(self, command, folder, log, namespace=None, environment=None):
        before = ["ip", "netns", "exec", namespace] if namespace else []
        with open(os.path.join(folder, log), "ab") as output:
            # A folder of its own for sockets and as home, which this user may write.
            self._process = subprocess.Popen(
                before + as_server_user(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
                env={**os.environ, "HOME": folder, **(environment or {})}, start_new_session=True,
            )
        self.id = self._process.pid

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.id, signal.SIGKILL)
        self._process.wait()


class Node:
    """A server under Patroni."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.name = f"node{number}"
        self.namespace = cluster.network.add(10 + number) if cluster.network else None
        self.host = f"{NETWORK}.{10 + number}" if cluster.network else "127.0.0.1"
        self.port, self.rest_port = (5432, 8008) if cluster.network else (free_port(), free_port())
        self.folder = os.path.join(cluster.folder, self.name)
        self.data = os.path.join(self.folder, "data")
        os.mkdir(self.folder, 0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        with open(os.path.join(self.folder, "patroni.json"), "w") as file:
            json.dump(self._settings(), file)
        self.patroni = None
        self._stopped = []

    def _settings(self):
        address = f"{self.host}:{self.port}"
        return {
            "scope": "postern", "name": self.name,
            "restapi": {"listen": f"{self.host}:{self.rest_port}", "connect_address": f"{self.host}:{self.rest_port}"},
            "etcd3": {"host": f"{self.cluster.etcd_host}:{self.cluster.etcd_port}"},
            "bootstrap": {
                "dcs": {
                    **TIMES, "maximum_lag_on_failover": 1 << 20, "synchronous_mode": True,
                    "synchronous_mode_strict": True,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "parameters": {
                            **PREDICATE_LOCKS, "max_connections": 100, "wal_keep_size": "256MB",
                            "wal_sender_timeout": "5s",
                        },
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
            },
            "postgresql": {
                "listen": address, "connect_address": address, "data_dir": self.data,
                "bin_dir": os.path.dirname(program("postgres")), "pgpass": os.path.join(self.folder, "pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres"}, "replication": {"username": "postgres"},
                    "rewind": {"username": "postgres"},
                },
                "pg_hba": ["local all all trust", "host all all all trust", "host replication all all trust"],
                "parameters": {"unix_socket_directories": self.folder},
                "remove_data_directory_on_rewind_failure": True,
                "remove_data_directory_on_diverged_timelines": True,
            },
            "watchdog": {"mode": "off"},
        }

    def start(self):
        self.patroni = Process(
            [shutil.which("patroni") or "/usr/bin/patroni", "patroni.json"], self.folder, "log", self.namespace
        )

    def processes(self):
        """The ids of Patroni, of the server and of all that they have started: those that work in the node's folder."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{name}/cwd").startswith(self.folder) and is_running(int(name)):
                    found.append(int(name))
        return found

    def signal_all(self, number):
        for process in sorted(self.processes()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    # Faults, each with its end

    def kill(self):
        """All processes are killed, as a loss of power would end them."""
        processes = self.processes()
        self.signal_all(signal.SIGKILL)
        if self.patroni is not None:
            self.patroni.kill()
        while any(is_running(process) for process in processes):
            time.sleep(0.01)
        # A process that has ended still looks like a running one until its parent has read its exit status.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.data, "postmaster.pid"))

    def make_again(self):
        """The node gets new data from the primary, as an administrator does when Patroni cannot repair it."""
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)
        self.start()

    def freeze(self):
        """Stops all processes with SIGSTOP."""
        self.signal_all(signal.SIGSTOP)

    def reset(self):
        """Ends the stopped processes and starts them again, as a watchdog restarts a machine that does not respond."""
        self.kill()
        self.start()

    def unplug(self):
        """Nothing reaches the node, and the node reaches nothing."""
        self.cluster.network.unplug(self.namespace)

    def plug(self):
        self.cluster.network.unplug(self.namespace, False)

    def part(self):
        """The node reaches neither etcd nor the other nodes, while clients still reach it."""
        self.cluster.network.part(self.namespace, self._others())

    def unpart(self):
        self.cluster.network.part(self.namespace, self._others(), False)

    def _others(self):
        return [self.cluster.etcd_host, *(node.host for node in self.cluster.nodes if node is not self)]

    # What it is

    def state(self):
        """What Patroni says of the node; an empty dictionary if it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.rest_port}/patroni", timeout=2) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with contextlib.suppress(ValueError):
                return json.load(error)
        except (OSError, ValueError):
            pass
        return {}

    def sql(self, text, database="postgres", seconds=10):
        return run_sql(f"postgres://postgres@{self.host}:{self.port}/{database}", text, seconds)


class Cluster(Startable):
    """Three nodes and etcd."""

    def __init__(self, logs=None):
        """`logs` is a folder that keeps the logs."""
        self.logs = logs
        if logs is not None:
            os.makedirs(logs, exist_ok=True)
        for name in ("patroni", "etcd"):
            if shutil.which(name) is None:
                raise Unavailable(f"{name} is missing")
        self.folder = server_folder()
        self.network = self._etcd = None
        self.nodes = []

    def _start_etcd(self):
        namespace = self.network.add(2) if self.network else None
        self.etcd_host = f"{NETWORK}.2" if self.network else "127.0.0.1"
        self.etcd_port, peer = (2379, 2380) if self.network else (free_port(), free_port())
        client, peers = f"http://{self.etcd_host}:{self.etcd_port}", f"http://{self.etcd_host}:{peer}"
        command = [
            "etcd", "--name", "etcd", "--data-dir", "etcd-data", "--unsafe-no-fsync",
            "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peers,
            "--initial-advertise-peer-urls", peers, "--initial-cluster", f"etcd={peers}", "--log-level", "error",
        ]
        if "--unsafe-no-fsync" not in subprocess.run(["etcd", "--help"], capture_output=True, text=True).stdout:
            command.remove("--unsafe-no-fsync")
        self._etcd = Process(command, self.folder, "etcd.log", namespace)

    def uri(self, database="postgres"):
        hosts = ",".join(f"{node.host}:{node.port}" for node in self.nodes)
        return f"postgres://postgres@{hosts}/{database}?target_session_attrs=read-write"

    def sql(self, text, database="postgres", seconds=20):
        return run_sql(self.uri(database), text, seconds)

    def heal(self):
        """Waits until all nodes are back. One that Patroni cannot bring back is made again."""
        try:
            self.wait_for(self.is_whole, HEALED_SECONDS_MAX, "a whole cluster")
        except TimeoutError:
            primary = self.primary()
            if primary is None:
                raise
            for node in self.nodes:
                if node is not primary and not self.is_near(primary, node):
                    node.make_again()
            self.wait_for(self.is_whole, HEALED_SECONDS_MAX, "a whole cluster")

    @staticmethod
    def is_near(primary, node):
        """Whether a standby is hardly behind."""
        return primary.sql(f"{FOLLOWERS} AND application_name = '{node.name}'") != []

    def create_database(self, name):
        """Creates a database, and waits until all nodes have it: libpq tries no other node after one that has not."""
        self.heal()
        self.sql(f"CREATE DATABASE {name}")
        has = f"SELECT 1 FROM pg_database WHERE datname = '{name}'"
        self.wait_for(lambda: all(node.sql(has) for node in self.nodes), UP_SECONDS_MAX, f"{name} on all nodes")

    def primary(self):
        """The node that Patroni's other parts regard as the primary; None if there is none."""
        for node in self.nodes:
            state = node.state()
            if state.get("role") in ("master", "primary") and state.get("state") == "running":
                return node
        return None

    def wait_for(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {seconds} s; {[node.state() for node in self.nodes]}")
            time.sleep(0.1)

    def is_whole(self):
        """Whether all nodes run and are not behind, and a synchronous standby follows the primary."""
        primary = self.primary()
        if primary is None:
            return False
        try:
            states = primary.sql(FOLLOWERS)
        except SQLFailed:
            return False
        return len(states) == NODES - 1 and any(state in ("sync", "quorum") for state in states)

    def start(self):
        if os.geteuid() == 0:
            with contextlib.suppress(Unavailable):
                self.network = Network()
        self._start_etcd()
        self.nodes = [Node(self, number) for number in range(1, NODES + 1)]
        for node in self.nodes:
            node.start()
            # The first one creates the cluster, and the others copy it.
            self.wait_for(lambda: self.primary() is not None, UP_SECONDS_MAX, "a primary")
        self.wait_for(self.is_whole, UP_SECONDS_MAX, "three servers")

    def close(self):
        started = [node for node in self.nodes if node.patroni is not None]
        for node in started:
            node.kill()
        if self._etcd is not None:
            self._etcd.kill()
        if self.network is not None:
            self.network.close()
        if self.logs is not None:
            for node in started:
                shutil.copy(os.path.join(node.folder, "log"), os.path.join(self.logs, f"{node.name}.log"))
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


if __name__ == "__main__":
    with Cluster() as cluster:
        environment = {**os.environ, "TEST_CLUSTER": cluster.uri()}
        status = subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    sys.exit(status)
