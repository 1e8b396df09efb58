"""Private PostgreSQL servers for tests, which listen only on a socket in a temporary folder.

As a program, it runs a command with a server, whose address the command finds in TEST_POSTGRES:

    python3 Tests/Postgres/servers.py swift test
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

# What a server logs at start if it has other values: predicate locks of larger transactions would otherwise grow to
# whole tables, and unrelated transactions would conflict.
PREDICATE_LOCKS = {
    "max_pred_locks_per_transaction": 1024,
    "max_pred_locks_per_relation": 10_000,
    "max_pred_locks_per_page": 64,
}
# The user that servers run as if the tests run as root, as which PostgreSQL refuses to run.
SERVER_USER = "postgres"


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


class Server:
    """A server with a folder of its own. Its data are deleted with it."""

    def __init__(self, settings: dict | None = None, is_durable: bool = True):
        self.folder = tempfile.mkdtemp(prefix="postern-postgres-")
        self.data = os.path.join(self.folder, "data")
        self.settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.folder}'",
            "max_connections": 200,
            "fsync": "on" if is_durable else "off",
            **PREDICATE_LOCKS,
            **(settings or {}),
        }
        if os.geteuid() == 0:
            shutil.chown(self.folder, SERVER_USER, SERVER_USER)
            os.chmod(self.folder, 0o755)
        self.run([program("initdb"), "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C",
                  "--no-sync", f"--pgdata={self.data}"])

    def run(self, command: list[str], **arguments) -> subprocess.CompletedProcess:
        return subprocess.run(
            as_server_user(command), check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **arguments
        )

    @property
    def address(self) -> str:
        """The address as libpq's key words, without a database."""
        return f"host={self.folder} user=postgres"

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        log = os.path.join(self.folder, "log")
        self.run([program("pg_ctl"), "start", "--wait", "--silent", f"--pgdata={self.data}", f"--log={log}",
                  f"--options={options}"])

    def stop(self, mode: str = "fast") -> None:
        self.run([program("pg_ctl"), "stop", "--wait", "--silent", f"--mode={mode}", f"--pgdata={self.data}"])

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        try:
            self.stop("immediate")
        except subprocess.CalledProcessError:
            pass
        self.remove()


if __name__ == "__main__":
    with Server(is_durable=False) as server:
        environment = {**os.environ, "TEST_POSTGRES": f"postgres://postgres@/?host={server.folder}"}
        status = subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    sys.exit(status)
