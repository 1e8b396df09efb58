"""Runs tests that start the binary themselves with stores in PostgreSQL in place of those in memory and in directories.

    on_postgres.py BINARY COMMAND …

The command finds in POSTERN_BIN a program that runs the binary with another `--data`: `:memory:` becomes a new
database, and each directory a database of its own, which is new if the directory is. All databases are on a private
server and marked as ones for tests, so that deterministic mode works. STORE_KIND has the kind of the stores, for tests
that compare it.

What a test says of a directory itself cannot hold then: see `clients_on_postgres.py`.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from servers import Server, SQLFailed, Startable, program

TEMPLATE = "template_store"
# The databases that replace a store in memory have the id of their process in their names.
IN_MEMORY = "memory_"
IN_DIRECTORY = "directory_"
KIND = "postgres"
REMOVAL_SECONDS = 1
# Less to write for each of several hundred databases, whose data need not survive.
SETTINGS = {
    "max_connections": 400, "autovacuum": "off", "wal_level": "minimal", "max_wal_senders": 0,
    "full_page_writes": "off", "synchronous_commit": "off",
}
MEMORY_FOLDER = "/dev/shm"
MEMORY_BYTES_MIN = 4 << 30
# A database begins as a copy of the template, so that no process has to create tables. An existing one stays. The tests
# may have taken all programs off PATH.
REPLACEMENT = r"""#!/bin/bash
# Runs the binary with a database in place of a store in memory or in a directory.
arguments=("$@") at='' data=${POSTERN_DATA:-postern-data}
case ${1-} in help | schema | version | --help | --version) exec @BINARY@ "$@" ;; esac
for ((index = 0; index < ${#arguments[@]}; index++)); do
    if [[ ${arguments[index]} == --data ]]; then
        at=$((index + 1)) data=${arguments[index + 1]-}
    elif [[ ${arguments[index]} == --data=* ]]; then
        echo "$0: --data=… is not replaced" >&2
        exit 70
    fi
done
if [[ ! $at ]]; then
    arguments+=(--data)
    at=${#arguments[@]}
fi
if [[ $data == :memory: ]]; then
    name=@MEMORY@$$
else
    [[ $data == /* ]] || data=$PWD/$data
    sum=($(printf %s "$data" | @SUM@))
    name=@DIRECTORY@${sum[0]}
fi
if ! refusal=$(@PSQL@ -XAtq '@SERVER@' -c "CREATE DATABASE $name TEMPLATE @TEMPLATE@ STRATEGY file_copy" 2>&1) &&
    [[ $refusal != *already\ exists* && $refusal != *pg_database_datname_index* ]]; then
    echo "$0: $refusal" >&2
    exit 70
fi
store='@STORE@'
arguments[at]=${store/NAME/$name}
exec @BINARY@ "${arguments[@]}"
"""


class Stores(Startable):
    """A server, the template of its databases, and the program that replaces the binary."""

    def __init__(self, binary: str):
        self.binary = os.path.abspath(binary)
        self.server = Server(SETTINGS, is_durable=False, parent=memory_folder())
        self.folder = tempfile.mkdtemp(prefix="postern-binary-")
        # Tests look for processes by the name of the binary.
        self.program = Path(self.folder, "postern")
        # The transactions that were committed in databases that have been deleted.
        self.removed = 0
        self._ends = contextlib.ExitStack()
        self._ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._has_ended = threading.Event()

    def start(self) -> None:
        self._ends.enter_context(self.server)
        self.server.sql(f"CREATE DATABASE {TEMPLATE}")
        command = [self.binary, "--data", self.server.uri(TEMPLATE)]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
        self.server.sql("UPDATE postern.meta SET is_test = true", TEMPLATE)
        self._write_program()
        removal = threading.Thread(target=self._remove_unused)
        removal.start()
        self._ends.callback(removal.join)
        self._ends.callback(self._has_ended.set)

    def close(self) -> None:
        self._ends.close()

    def _write_program(self) -> None:
        values = {
            "BINARY": f"'{self.binary}'", "MEMORY": IN_MEMORY, "DIRECTORY": IN_DIRECTORY, "TEMPLATE": TEMPLATE,
            "SERVER": self.server.uri(), "STORE": self.server.uri("NAME"), "PSQL": program("psql"),
            "SUM": shutil.which("md5sum"),
        }
        text = REPLACEMENT
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        self.program.write_text(text)
        self.program.chmod(0o755)

    def _remove_unused(self) -> None:
        """Deletes the databases of processes that have ended, because each takes 8 MB."""
        query = f"SELECT datname, xact_commit FROM pg_stat_database WHERE datname LIKE '{IN_MEMORY}%'"
        while not self._has_ended.wait(REMOVAL_SECONDS):
            # A server on a busy machine may refuse or not answer; the next turn tries again.
            with contextlib.suppress(SQLFailed):
                for name, used in (row.split("|") for row in self.server.sql(query)):
                    if not os.path.exists(f"/proc/{name.removeprefix(IN_MEMORY)}"):
                        self.server.sql(f"DROP DATABASE {name} WITH (FORCE)")
                        self.removed += int(used)

    @property
    def environment(self) -> dict[str, str]:
        """The variables for tests."""
        return {**os.environ, "POSTERN_BIN": str(self.program), "STORE_KIND": KIND}

    @property
    def used(self) -> int:
        """How many transactions have been committed in the databases of tests that still exist."""
        return self._used_in(f"datname LIKE '{IN_MEMORY}%' OR datname LIKE '{IN_DIRECTORY}%'")

    def _used_in(self, condition: str) -> int:
        query = f"SELECT coalesce(sum(xact_commit), 0)::int8 FROM pg_stat_database WHERE {condition}"
        return int(self.server.sql(query)[0])


def memory_folder() -> str | None:
    """A folder in memory, if there is room; None for the usual folder."""
    has_room = os.path.isdir(MEMORY_FOLDER) and shutil.disk_usage(MEMORY_FOLDER).free > MEMORY_BYTES_MIN
    return MEMORY_FOLDER if has_room else None


def main(binary: str, command: list[str]) -> int:
    with Stores(binary) as stores:
        return subprocess.run(command, env=stores.environment, check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(sys.argv[1], sys.argv[2:]))
