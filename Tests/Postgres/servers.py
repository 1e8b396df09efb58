"""Private PostgreSQL servers for tests, which listen only on a socket in a temporary folder.

As a program, it runs a command with a server, whose address the command finds in TEST_POSTGRES:

    python3 Tests/Postgres/servers.py swift test
"""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

# What a server logs at start if it has other values: predicate locks of larger transactions would otherwise grow to
# whole tables, and unrelated transactions would conflict.
PREDICATE_LOCKS = {
    "max_pred_locks_per_transaction": 1024,
    "max_pred_locks_per_relation": 10_000,
    "max_pred_locks_per_page": 64,
}
# The user that servers run as if the tests run as root, as which PostgreSQL refuses to run.
SERVER_USER = "postgres"
SQL_SECONDS_MAX = 60


class SQLFailed(Exception):
    """A statement that psql could not run, with what psql reports."""


def program(name: str) -> str:
    """The path of a program of the newest installed server."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    if not found:
        sys.exit(f"{name} is not installed")
    return found[-1]


def as_server_user(command: list[str]) -> list[str]:
    """The command, run as a user that is not root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--clear-groups", *command]


def server_folder(parent: str | None = None) -> str:
    """A new folder that belongs to the user of servers."""
    folder = tempfile.mkdtemp(prefix="postern-postgres-", dir=parent)
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER, SERVER_USER)
        os.chmod(folder, 0o755)
    return folder


def uri(host: str, database: str, user: str = "postgres", **parameters) -> str:
    """The address of a database. `host` is the folder of a socket, or a list of hosts with ports."""
    asked = urllib.parse.urlencode({"host": host, **parameters}) if host.startswith("/") else ""
    if not asked:
        asked = urllib.parse.urlencode(parameters)
        return f"postgres://{user}@{host}/{database}" + (f"?{asked}" if asked else "")
    return f"postgres://{user}@/{database}?{asked}"


def run_sql(address: str, text: str, seconds: float = SQL_SECONDS_MAX) -> list[str]:
    """Runs statements with psql. Returns the rows, whose columns are separated by `|`.

    Raises `SQLFailed`.
    """
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "3", "PGAPPNAME": "tests"}
    command = [program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", text]
    try:
        outcome = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds, check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise SQLFailed(f"no answer within {seconds} s") from None
    if outcome.returncode != 0:
        raise SQLFailed(outcome.stderr.strip())
    return outcome.stdout.splitlines()


class Startable:
    """A context that `start` begins and `close` ends, also if `start` fails half-way."""

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.close()


class Server(Startable):
    """A server with a folder of its own. Its data are deleted with it."""

    def __init__(
        self,
        settings: dict | None = None,
        is_durable: bool = True,
        data: str | None = None,
        initdb: tuple[str, ...] = (),
        template: "Server | None" = None,
        parent: str | None = None,
    ):
        """`data` is an existing empty folder for the data. A server with a `template` is a standby of that server.

        The folder of the server is in `parent`.
        """
        self.folder = server_folder(parent)
        self.data = data or os.path.join(self.folder, "data")
        self.settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.folder}'",
            "max_connections": 200,
            "fsync": "on" if is_durable else "off",
            **PREDICATE_LOCKS,
            **(settings or {}),
        }
        if template is None:
            self._creation = [program("initdb"), "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C",
                              "--no-sync", f"--pgdata={self.data}", *initdb]
        else:
            self._creation = [program("pg_basebackup"), "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
                              f"--pgdata={self.data}", f"--dbname={template.address}"]

    def run(self, command: list[str], **arguments) -> subprocess.CompletedProcess:
        return subprocess.run(
            as_server_user(command), check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **arguments
        )

    @property
    def address(self) -> str:
        """The address as libpq's key words, without a database."""
        return f"host={self.folder} user=postgres"

    def uri(self, database: str = "postgres", user: str = "postgres") -> str:
        return uri(self.folder, database, user)

    @property
    def socket(self) -> str:
        """The path of the socket."""
        return os.path.join(self.folder, ".s.PGSQL.5432")

    @property
    def log(self) -> str:
        """What the server has logged."""
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()

    def start(self) -> None:
        """Starts the server, and creates its data before the first start."""
        if not os.path.exists(os.path.join(self.data, "PG_VERSION")):
            self.run(self._creation)
        options = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        log = os.path.join(self.folder, "log")
        self.run([program("pg_ctl"), "start", "--wait", "--silent", f"--pgdata={self.data}", f"--log={log}",
                  f"--options={options}"])

    def stop(self, mode: str = "fast") -> None:
        self.run([program("pg_ctl"), "stop", "--wait", "--silent", f"--mode={mode}", f"--pgdata={self.data}"],
                 stderr=subprocess.DEVNULL)

    def promote(self) -> None:
        """Makes a standby a primary."""
        self.run([program("pg_ctl"), "promote", "--wait", "--silent", f"--pgdata={self.data}"])

    def sql(self, text: str, database: str = "postgres", seconds: float = SQL_SECONDS_MAX) -> list[str]:
        return run_sql(self.uri(database), text, seconds)

    @property
    def process(self) -> int | None:
        """The id of the server's first process; None if the server does not run."""
        try:
            with open(os.path.join(self.data, "postmaster.pid")) as file:
                return int(file.readline())
        except (FileNotFoundError, ValueError):
            return None

    @property
    def is_running(self) -> bool:
        return self.process is not None and is_running(self.process)

    def signal_all(self, number: int) -> None:
        """Sends a signal to all of the server's processes; the first one comes first, so that it starts no others."""
        for process in [self.process, *children_of(self.process)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def kill(self) -> None:
        """Kills all processes at once, as a loss of power would end them."""
        process = self.process
        if process is None:
            return
        processes = [process, *children_of(process)]
        self.signal_all(signal.SIGKILL)
        while any(is_running(process) for process in processes):
            time.sleep(0.01)
        # A process that has ended still looks like a running one until its parent has read its exit status.
        for path in (os.path.join(self.data, "postmaster.pid"), self.socket, self.socket + ".lock"):
            if os.path.exists(path):
                os.unlink(path)

    def close(self) -> None:
        """Ends the server, and deletes its folder."""
        try:
            if self.is_running:
                self.signal_all(signal.SIGCONT)
                self.stop("immediate")
        except subprocess.CalledProcessError:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def children_of(parent: int | None) -> list[int]:
    """The ids of a process's children."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and parent is not None and parent_of(int(name)) == parent:
            found.append(int(name))
    return found


def parent_of(process: int) -> int | None:
    """The id of a process's parent; None if the process has ended."""
    status = status_of(process)
    return int(status[1]) if status else None


def is_running(process: int) -> bool:
    status = status_of(process)
    return status is not None and status[0] != "Z"


def status_of(process: int) -> list[str] | None:
    """The state, the parent and so on from /proc/ID/stat, without the name."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


if __name__ == "__main__":
    with Server(is_durable=False) as server:
        environment = {**os.environ, "TEST_POSTGRES": server.uri("")}
        status = subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    sys.exit(status)
