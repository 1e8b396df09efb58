"""Scripts for pgbench with the statements that Postern sends for a request, as the proxy of the tests has recorded them.

Each of pgbench's clients has the parameters of one recorded request, which it reads from a table before its first
transaction. So that a script can run again and again, the keys that it inserts end with the number of the transaction.
The statements of a group go in a pipeline, as Postern sends them; a COMMIT that Postern does not wait for goes with the
group before it.
"""

import dataclasses
import os
import re
import struct
import subprocess
import time

import postgres_bench  # noqa: F401 - it makes the modules of Tests/Postgres known
import protocol
from round_trips import is_other_work
from servers import program

PARAMETER = re.compile(r"\$(\d+)::(bytea\[\]|bytea|int8|text)")
INSERTED = "SELECT * FROM unnest($1::bytea[], $2::bytea[])"
NUMBERED = "SELECT k || :n::text::bytea, v FROM unnest($1::bytea[], $2::bytea[]) AS t (k, v)"
MARK = "VALUES ($1::bytea,"
NUMBERED_MARK = "VALUES ($1::bytea || :n::text::bytea,"
# After a conflict, pgbench runs a transaction again as often as Postern does.
TRIES_MAX = 10
LATE_SECONDS = 0.02
RECORDINGS_MAX, PAUSE_SECONDS = 10, 0.2
RATE = re.compile(r"tps = ([0-9.]+)")


@dataclasses.dataclass(frozen=True)
class Executed:
    """A statement that was executed, with its parameters as bytes."""

    sql: str
    parameters: tuple


def bound(message):
    """The parameters of a Bind message; None for null."""
    data = message.body
    place = data.index(b"\0", data.index(b"\0") + 1) + 1
    (formats,) = struct.unpack_from("!H", data, place)
    place += 2 + 2 * formats
    (count,) = struct.unpack_from("!H", data, place)
    place += 2
    parameters = []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", data, place)
        place += 4
        parameters.append(None if length < 0 else data[place:place + length])
        place += max(length, 0)
    return tuple(parameters)


def executed(group):
    """The statements of a group of messages, with their parameters."""
    place, parameters = 0, []
    while (message := protocol.message_at(group.data, place)) is not None:
        place = message.end
        if message.kind == "B":
            parameters.append(bound(message))
    return [Executed(sql, values) for (sql, _), values in zip(group.statements, parameters, strict=True)]


def recorded(proxy, action):
    """The groups of statements that a request sends through a proxy. `action` sends a new one, given the number of the try."""
    for turn in range(RECORDINGS_MAX):
        groups = recorded_once(proxy, lambda: action(turn))  # noqa: B023 - it is called at once
        if sum(each.sql.startswith("BEGIN") for group in groups for each in group) == 1:
            return groups
        # The process also had work of its own.
        time.sleep(PAUSE_SECONDS)
    raise AssertionError(f"{RECORDINGS_MAX} recordings have more than one transaction")


def recorded_once(proxy, action):
    groups, ours = [], set()

    def record(link, group):
        if group.begins:
            (ours.discard if is_other_work(group) else ours.add)(link)
        if link in ours:
            statements = executed(group)
            # Postern does not wait for the reply to this COMMIT.
            if [each.sql for each in statements] == ["COMMIT"]:
                groups[-1] += statements
            else:
                groups.append(statements)

    proxy.wait_until_quiet()
    proxy.rule = record
    try:
        action()
        # The COMMIT of a transaction that only reads can come after the reply.
        time.sleep(LATE_SECONDS)
        proxy.wait_until_quiet()
    finally:
        proxy.rule = None
    return groups


def text(value, kind):
    """A parameter in PostgreSQL's text format."""
    if value is None:
        return None
    if kind == "text":
        return value.decode()
    if kind == "int8":
        return str(int.from_bytes(value, "big", signed=True))
    if kind == "bytea":
        return "\\x" + value.hex()
    elements, place = [], 20
    while place < len(value):
        (length,) = struct.unpack_from("!I", value, place)
        elements.append(f'"\\\\x{value[place + 4:place + 4 + length].hex()}"')
        place += 4 + length
    return "{" + ",".join(elements) + "}"


class Script:
    """A script with the statements of a kind of request, and its table with the parameters of each client."""

    def __init__(self, bench, database, name, requests):
        """`requests` has the recorded groups of one request for each client."""
        self.database, self.path = database, os.path.join(bench.root, name + ".sql")
        # The parameters that are variables: name, type, and where they are in a request.
        self._variables = []
        lines = []
        for turn, group in enumerate(requests[0]):
            body = [self._line(statement, turn, place) for place, statement in enumerate(group)]
            lines += ["\\startpipeline", *body, "\\endpipeline"]
        self._fill(name, requests)
        columns = ", ".join(variable for variable, *_ in self._variables)
        first = f"SELECT 0 AS is_new, {columns} FROM bench.{name} WHERE number = :client_id \\gset"
        with open(self.path, "w") as file:
            file.write("\n".join(["\\if :is_new", first, "\\endif", "\\set n :n + 1", *lines]) + "\n")

    def _line(self, statement, turn, place):
        sql = statement.sql if "ON CONFLICT" in statement.sql else statement.sql.replace(INSERTED, NUMBERED)
        known = {}

        def variable(found):
            number, kind = int(found[1]) - 1, found[2]
            if statement.parameters[number] is None:
                return f"NULL::{kind}"
            if number not in known:
                known[number] = f"p{len(self._variables)}"
                self._variables.append((known[number], kind, turn, place, number))
            return f":{known[number]}::{kind}"

        return PARAMETER.sub(variable, sql.replace(MARK, NUMBERED_MARK)) + ";"

    def _fill(self, name, requests):
        shapes = [[[each.sql for each in group] for group in request] for request in requests]
        assert all(shape == shapes[0] for shape in shapes), "the same request was recorded with other statements"
        columns = "".join(f", {variable} text" for variable, *_ in self._variables)
        statements = ["CREATE SCHEMA IF NOT EXISTS bench", f"CREATE TABLE bench.{name} (number int{columns})"]
        for client, request in enumerate(requests):
            values = [
                text(request[turn][place].parameters[number], kind) for _, kind, turn, place, number in self._variables
            ]
            # An apostrophe is the only character that a literal escapes.
            literals = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
            statements.append(f"INSERT INTO bench.{name} VALUES ({client}, {literals})")
        self.database.sql("; ".join(statements))

    def rate(self, address, connections, seconds, run):
        """Transactions a second of pgbench, those that failed in all tries excepted.

        `run` is a number that no other run of the script has.
        """
        command = [
            program("pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={connections}",
            f"--jobs={min(connections, os.cpu_count())}", f"--time={seconds}", f"--max-tries={TRIES_MAX}",
            "--define=is_new=1", f"--define=n={run * 10**9}", f"--file={self.path}", address,
        ]
        output = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout
        return float(RATE.search(output)[1])
