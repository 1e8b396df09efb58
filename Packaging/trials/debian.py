"""Installs the package in a Debian that runs systemd, uses its units, and purges it."""

import json
import pathlib
import subprocess

from project import DIST, VERSION, Machine
from trials.system import System, booted
from trials.trial import Failed, expect, play_tour, run, runner

SOCKET = "/run/postern/postern.sock"
STORE = "/var/lib/postern/accounts"
BACKUPS = "/var/backups/postern"
# Two connections at the same time, and what each gets. It is run by the Python of the Debian.
CLIENTS = """
import json, socket
def connect():
    connection = socket.socket(socket.AF_UNIX)
    connection.connect("/run/postern/postern.sock")
    return connection.makefile("rwb")
def call(stream, method, **params):
    stream.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\\n")
    stream.flush()
    return json.loads(stream.readline())["result"]
first, second = connect(), connect()
person = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
operator = call(first, "operators.register", user=person, password="a long password")
account = call(second, "operators.account", user_id=operator["id"], session_id=operator["session_id"])
print(account["user"]["email"])
"""
# A connection that works before and after the command on stdin.
OPEN_CONNECTION = """
import socket, subprocess, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/postern/postern.sock")
stream = connection.makefile("rwb")
def works():
    stream.write(b'{"jsonrpc":"2.0","id":1,"method":"system.info"}\\n')
    stream.flush()
    return b'"result"' in stream.readline()
assert works()
subprocess.run(sys.stdin.read(), shell=True, check=True)
try:
    if not works():
        sys.exit("the connection has ended")
except OSError:
    sys.exit("the connection has ended")
"""


def tried(machine: Machine, folder: pathlib.Path) -> None:
    package = DIST / f"postern_{VERSION}_{machine.debian}.deb"
    run("lintian", "--fail-on", "error,warning", "--allow-root", package, folder=folder)
    if runner(machine):
        run("dpkg-deb", "--extract", package, folder, folder=folder)
        play_tour([*runner(machine), folder / "usr/bin/postern"], folder)
        return
    with booted() as system:
        subprocess.run(["cp", package, system.root / "root/postern.deb"], check=True)
        try:
            system.run("dpkg", "--install", "/root/postern.deb")
            _program_is_whole(system)
            _units_are_valid(system)
            _socket_serves(system)
            _upgrade_keeps_connections(system)
            _timers_work(system)
            _removal_keeps_accounts(system)
        except Failed as failure:
            raise Failed(f"{failure}\n{system.run('journalctl', '--no-pager', '-n', '40', code=None)}") from None


def _program_is_whole(system: System) -> None:
    expect(system.run("postern", "version") == f"postern {VERSION}\n", "another version is installed")
    expect("postern" in system.run("getent", "passwd", "postern"), "there is no user postern")
    rights = system.run("stat", "-c", "%U:%G %a", "/var/lib/postern")
    expect(rights == "postern:postern 700\n", f"/var/lib/postern has {rights}")


def _units_are_valid(system: System) -> None:
    units = sorted(path.name for path in (system.root / "lib/systemd/system").glob("postern*") if path.is_file())
    instances = [unit.replace("@", "@1") for unit in units]
    output = system.run(
        "systemd-analyze", "verify", "--man=no", *(f"/lib/systemd/system/{unit}" for unit in units if "@" not in unit), *instances
    )
    expect(not output, f"systemd-analyze verify: {output}")
    for unit in instances:
        if unit.endswith(".service"):
            # The exposure is a number from 0, none, to 100.
            system.run("systemd-analyze", "security", "--threshold=20", unit)
    for unit in units:
        if not unit.endswith(".service"):
            expect(system.run("systemctl", "is-enabled", unit, code=1) == "disabled\n", f"{unit} is enabled at first")


def _socket_serves(system: System) -> None:
    system.run("systemctl", "enable", "--now", "postern.socket")
    rights = system.run("stat", "-c", "%U:%G %a", SOCKET)
    expect(rights == "root:postern 660\n", f"the socket has {rights}")
    email = system.run("python3", "-c", CLIENTS)
    expect(email == "lasoren@bu.edu\n", f"the two connections got {email!r}")
    refused = system.run("setpriv", "--reuid=nobody", "--clear-groups", "python3", "-c", CLIENTS, code=1)
    expect("PermissionError" in refused, "a stranger can connect")
    owner = system.run("stat", "-c", "%U", STORE)
    expect(owner == "postern\n", f"the store belongs to {owner}")
    # A connection that has ended leaves no process.
    system.until("the processes have ended", "sh", "-c", "! systemctl --quiet is-active 'postern@*.service'")
    system.run("systemctl", "restart", "postern.socket")


def _timers_work(system: System) -> None:
    system.run("systemctl", "enable", "--now", "postern-backup.timer", "postern-outbox.timer")
    # Without POSTERN_MAIL, the service succeeds and delivers nothing.
    system.run("systemctl", "start", "postern-outbox.service")
    system.run("mkdir", "-p", f"{BACKUPS}/of a backup that failed.incomplete")
    system.run("sh", "-c", "echo BACKUPS_KEPT=2 >> /etc/default/postern")
    for _ in range(3):
        system.run("systemctl", "start", "postern-backup.service")
    for wrong in ("0", "some"):
        system.run("env", f"BACKUPS_KEPT={wrong}", "POSTERN_DATA=" + STORE, "/usr/lib/postern/backup", code=64)
    kept = system.run("ls", BACKUPS).split()
    expect(len(kept) == 2, f"the backups are {kept}")
    copied = system.run(
        "setpriv", "--reuid=postern", "--clear-groups", "postern", "account", "list", "--data", f"{BACKUPS}/{kept[-1]}"
    )
    expect("lasoren@bu.edu" in copied, f"the last backup has {copied}")
    system.run(
        "sh",
        "-c",
        "install -d -o postern /var/lib/postern/mails; echo POSTERN_MAIL=directory:/var/lib/postern/mails >> /etc/default/postern",
    )
    system.run("systemctl", "start", "postern-outbox.service")
    mails = system.run("ls", "/var/lib/postern/mails").split()
    expect(len(mails) == 1, f"the mails are {mails}")
    state = json.loads(system.run("systemctl", "list-timers", "postern-*", "--output=json"))
    expect(len(state) == 2, f"the timers are {state}")


def _upgrade_keeps_connections(system: System) -> None:
    """Installs the package again while a connection is open, and removes nothing of it."""
    system.run("sh", "-c", "chgrp mail /var/backups/postern; chmod 750 /var/backups/postern")
    system.run("python3", "-c", OPEN_CONNECTION, given="dpkg --install /root/postern.deb")
    rights = system.run("stat", "-c", "%U:%G %a", BACKUPS)
    expect(rights == "postern:mail 750\n", f"after an upgrade {BACKUPS} has {rights}")


def _removal_keeps_accounts(system: System) -> None:
    # Removal ends the open connections.
    ended = system.run("python3", "-c", OPEN_CONNECTION, given="dpkg --remove postern", code=1)
    expect("the connection has ended" in ended, f"after a removal a connection {ended}")
    expect(not (system.root / SOCKET.lstrip("/")).exists(), "the removal has left the socket")
    removed = system.run("dpkg", "--purge", "postern")
    expect("stay" in removed, f"the purge printed {removed}")
    expect((system.root / STORE.lstrip("/") / "manifest.json").exists(), "the purge has removed the accounts")
    expect(not (system.root / "etc/default/postern").exists(), "the purge has left /etc/default/postern")
    left = system.run(
        "sh",
        "-c",
        "find / -xdev -name '*postern*' -not -path '/proc/*' -not -path '/var/lib/postern/*' "
        "-not -path '/var/backups/*' -not -path '/root/*' -not -path '/var/log/*'",
    ).split()
    expect(set(left) <= {"/var/lib/postern"}, f"the purge has left {left}")
    # Without accounts, nothing stays.
    system.run("dpkg", "--install", "/root/postern.deb")
    system.run(
        "rm",
        "-r",
        "/var/lib/postern/accounts",
        "/var/lib/postern/mails",
        *(f"{BACKUPS}/{name}" for name in system.run("ls", BACKUPS).split()),
    )
    system.run("dpkg", "--purge", "postern")
    system.run("getent", "passwd", "postern", code=2)
    expect(not (system.root / "var/lib/postern").exists(), "the purge has left an empty directory")
