"""A synchronous standby that does not confirm a commit, and then takes over from a primary that was killed.

Guarantee: what was acknowledged is on the standby. A commit whose wait was cancelled, or that was found in a primary
whose standby has not confirmed it, is answered with `outcome_unknown`, and never with success.
"""

import signal
import threading
import time

from databases import Database, PostgresStore, slug
from postern import Broken
from servers import Server, SQLFailed

NAME = "synchronous standby"
TIMEOUT_SECONDS = 4
# A server that was killed syncs all its files when it starts, which takes a busy disk longer than TIMEOUT_SECONDS.
FAILOVER_SECONDS_MAX = 60
WAITING_SECONDS_MAX = 10
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'postern'"


class Pair:
    """A primary, and a standby that must confirm each commit; a store on both, and a process that uses it."""

    def __init__(self, trial, is_synchronous=True, timeout=TIMEOUT_SECONDS):
        self.primary = trial.enter(Server({"wal_keep_size": "64MB", "wal_sender_timeout": "60s"}))
        self.primary.sql("CREATE DATABASE pair")
        self.standby = trial.enter(Server(template=self.primary))
        if is_synchronous:
            self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.primary.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.primary.sql("SELECT count(*) FROM pg_stat_replication") == ["1"], "no standby connects")
        address = f"postgres://postgres@/pair?host={self.primary.folder},{self.standby.folder}"
        self.store = PostgresStore.make(trial.program, address, ["c0@b.co"])
        self.store.timeout = timeout
        self.server = trial.enter(self.store.serve())
        self.store.create(self.server, "before@b.co")

    def write(self):
        """Starts a write, and waits until its commit waits for the standby. Returns a function that waits for the
        reply."""
        replies = []
        thread = threading.Thread(
            target=lambda: replies.append(self.store.create(self.server, "written@b.co", tolerate=True))
        )
        thread.start()
        try:
            wait_until(lambda: thread.is_alive() and self.waiting(), "no commit waits for the standby")
        except Broken:
            thread.join()
            raise

        def reply():
            seconds = 4 * self.store.timeout
            thread.join(seconds)
            if not replies:
                raise Broken(f"no reply within {seconds} s: {self.server.errors[-300:]}")
            return replies[0]

        return reply

    def waiting(self):
        return self.primary.sql(WAITING)

    def end_wait(self, function):
        self.primary.sql("; ".join(f"SELECT {function}({process})" for process in self.waiting()))

    def fail_over(self):
        """The primary is lost, and the standby takes over with what it has."""
        self.primary.kill()
        if not self.standby.is_running:
            self.standby.start()
        self.standby.promote()

    def hold(self):
        """The standby has all that was acknowledged, and the same process goes on."""
        end = time.monotonic() + 2 * self.store.timeout
        number = 0
        while slug(self.store.create(self.server, f"after{number}@b.co", tolerate=True)) is not None:
            if time.monotonic() > end:
                raise Broken(f"no service after the failover: {self.server.errors[-300:]}")
            number += 1
            time.sleep(0.1)
        self.store.ledger.compare(self.store.listed(self.server)["result"])
        Database(self.standby, "pair").sql("SELECT 1")


def wait_until(condition, failure):
    end = time.monotonic() + WAITING_SECONDS_MAX
    while True:
        try:
            if condition():
                return
        except SQLFailed:
            pass
        if time.monotonic() > end:
            raise Broken(failure)
        time.sleep(0.05)


def run(trial):
    for case in (confirmed_late, cancelled, terminated, restarted, killed_at_once):
        trial.hold_one(case.__name__.replace("_", " "), lambda case=case: case(trial))
    trial.outcome.bite("an asynchronous standby", trial.finds(lambda: asynchronous(trial)))


def expect_unknown(reply, where):
    if slug(reply) != "outcome_unknown" or reply["error"]["code"] != 504:
        raise Broken(f"{where}: answered with {reply.get('error', 'success')}")


def confirmed_late(trial):
    """Stops the standby with SIGSTOP for a moment."""
    pair = Pair(trial)
    pair.standby.signal_all(signal.SIGSTOP)
    reply = pair.write()
    time.sleep(1)
    pair.standby.signal_all(signal.SIGCONT)
    if slug(reply()) is not None:
        raise Broken(f"a commit that was confirmed late is answered with {reply()}")
    pair.fail_over()
    pair.hold()


def cancelled(trial):
    """The wait is cancelled: the commit is in the primary only."""
    pair = Pair(trial)
    pair.standby.kill()
    reply = pair.write()
    pair.end_wait("pg_cancel_backend")
    expect_unknown(reply(), "the wait was cancelled")
    pair.fail_over()
    pair.hold()


def terminated(trial):
    """The waiting backend is terminated: the commit is in the primary only, and its mark is found there."""
    pair = Pair(trial)
    pair.standby.kill()
    reply = pair.write()
    pair.end_wait("pg_terminate_backend")
    expect_unknown(reply(), "the backend was terminated")
    pair.fail_over()
    pair.hold()


def restarted(trial):
    """The primary is restarted while a commit waits, and then has it."""
    pair = Pair(trial)
    pair.standby.kill()
    reply = pair.write()
    pair.primary.stop("immediate")
    pair.primary.start()
    expect_unknown(reply(), "the primary was restarted")
    pair.fail_over()
    pair.hold()


def killed_at_once(trial):
    """The primary is killed while a commit waits. The standby does not have it, so it runs again there."""
    pair = Pair(trial, timeout=FAILOVER_SECONDS_MAX)
    pair.standby.kill()
    reply = pair.write()
    pair.fail_over()
    if slug(reply()) is not None:
        raise Broken(f"a new primary can be reached, and the request is answered with {reply()}")
    pair.hold()


def asynchronous(trial):
    """The primary acknowledges without the standby, and is killed."""
    pair = Pair(trial, is_synchronous=False)
    pair.standby.kill()
    pair.store.create(pair.server, "written@b.co")
    pair.fail_over()
    pair.hold()
