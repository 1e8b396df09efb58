"""A server that is stopped at once and started again, while four processes write.

Guarantee: nothing that was acknowledged is lost, nothing is doubled, and the processes serve again by themselves,
within seconds after the server can be reached.
"""

import time

from postgres_crowd import PostgresCrowd, expect, hold, in_words
from servers import Server

NAME = "server restarts"
PAUSE_SECONDS = 3
SERVED_SECONDS_MAX = 3


def run(trial):
    seconds = 6 if trial.is_quick else 60
    crowd, starts = under_restarts(trial, Server(is_durable=False))
    hold(trial, crowd, seconds)
    trial.outcome.remarks.append(in_words(crowd))
    waits = [crowd.served_after(start) for start in starts]
    # After the last start there may not have been enough time.
    waits = [wait for wait in waits if wait is not None]
    trial.outcome.remarks.append(f"served again by all after {', '.join(f'{wait:.1f}' for wait in waits)} s")
    expect(trial, bool(waits), "the processes never served again")
    expect(trial, all(wait < SERVED_SECONDS_MAX for wait in waits), f"served only after {max(waits, default=0):.1f} s")
    expect(trial, crowd.done["outcome_unknown"] == 0, f"{crowd.done['outcome_unknown']} × outcome_unknown")
    # The server acknowledges commits that are only in its memory.
    careless = {"synchronous_commit": "off", "wal_writer_delay": "10000ms", "wal_writer_flush_after": "0"}
    crowd, _ = under_restarts(trial, Server(is_durable=False, settings=careless))
    trial.outcome.bite("commits that are not written", crowd.run(4 if trial.is_quick else 8).summary())


def under_restarts(trial, server):
    """A crowd whose server is restarted, and the list of the moments at which the server was up again."""
    database = trial.database(trial.enter(server))
    starts = []

    def trouble(crowd):
        while crowd.pause(0.5 + trial.random.random() * PAUSE_SECONDS):
            server.stop("immediate")
            crowd.done["restart"] += 1
            time.sleep(trial.random.random() * 2)
            server.start()
            starts.append(time.monotonic())
        # Time to serve again before the run's last requests are checked.

    return PostgresCrowd(trial, trial.store(database), trouble), starts
