"""Tests the real binary with PostgreSQL servers and injected faults.

    postgres_faults.py BINARY [--quick] [--only NAME] [--seed NUMBER] [--no-skips]

The guarantee: **the effect of every acknowledged request is there once, every request that is answered with an error
that says so has none, and no process must be restarted.** `outcome_unknown` is answered only if no server could be
asked in time, or if a commit waits for a standby.

A module is a class of faults:

    proxies           the proxy of these tests, with psql and pgbench
    commit_cuts       a connection that is cut at every byte of a request, and of the server's answers
    held_back         the rest of a commit that arrives after its outcome was settled
    dead_backends     backends that are terminated or killed while four processes write
    server_restarts   a server that is stopped at once and started again while four processes write
    server_gone       a server that is stopped, cannot be reached, or is not yet there at start
    slow_servers      a server whose processes are stopped with SIGSTOP
    full_servers      a full disk under the server's tables, or under its log
    refusals          a role without rights, a newer format, a schema of another program
    poolers           PgBouncer in transaction mode, which is killed while four processes write
    standbys          a standby that does not confirm, before the primary is killed
    round_trips       the round trips of requests, counted

Each prints a line, as Tests/Faults/faults.py does: `class | cases tried | cases passed | self-test`. The last column
says what the same checks found with a protection removed.

`failovers.py BINARY` does the same with a cluster of three servers under Patroni.

Needs PostgreSQL with its client programs, and PgBouncer; as root also setpriv, with which servers run as `postgres`.
"""

import databases  # noqa: F401 - it makes the modules of Tests/Faults known
import faults
from databases import PostgresTrial

# The classes, with the seconds that a quick run gives to each.
CLASSES = {
    "proxies": 5,
    "commit_cuts": 20,
    "held_back": 12,
    "dead_backends": 12,
    "server_restarts": 15,
    "server_gone": 20,
    "slow_servers": 10,
    "full_servers": 15,
    "refusals": 5,
    "poolers": 10,
    "standbys": 15,
    "round_trips": 10,
}


if __name__ == "__main__":
    faults.main(__doc__, CLASSES, PostgresTrial)
