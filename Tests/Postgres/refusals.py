"""A database that must not be used: with a role without rights or with a wrong password, of a newer format, or
with a schema of another program; or one that does not exist.

Guarantee: the process ends at its start with an error that names the reason, and writes nothing. A process that runs
already answers each request with an error, writes nothing, and works again once the reason is gone.
"""

import os
import time

from databases import PostgresStore, slug
from postern import Broken, Gone
from server_gone import expect_unavailable, hold_back
from servers import Server, SQLFailed, run_sql

NAME = "rights, format, schema"
# A role that needs a password.
ROLE, PASSWORD = "secretive", "hidden-word"
WAITING_SECONDS = 10
# All that a database holds: the relations, and the rows of Postern's tables.
RELATIONS = "SELECT oid, relname, relnamespace, relfilenode FROM pg_class WHERE relnamespace::regnamespace::text IN "
RELATIONS += "('postern', 'public') ORDER BY oid"
CONTENTS = "SELECT md5(string_agg(key::text || value::text, ',' ORDER BY key)) FROM postern.entries"


def run(trial):
    cases = [no_rights_at_start, reading_rights, lost_rights, rights_without_creation, no_database, newer_at_start,
             newer_meanwhile, foreign_schema, foreign_table, wrong_password, no_password, no_role, no_right_to_connect,
             lost_database, lost_password]
    for case in cases:
        trial.hold_one(case.__name__.replace("_", " "), lambda case=case: case(trial))
    trial.outcome.bite("all rights", trial.finds(lambda: no_rights_at_start(trial, "SUPERUSER")))
    trial.outcome.bite("the same format", trial.finds(lambda: newer_at_start(trial, 1)))


def contents(database):
    """All that a database holds."""
    try:
        return database.sql(RELATIONS) + database.sql(CONTENTS)
    except SQLFailed:
        return database.sql(RELATIONS)


def refuse_start(trial, database, reason, user="postgres"):
    """A process must end at its start, with a reason and without a trace in the database."""
    before = contents(database)
    store = trial.store_at(database.uri(user))
    code, _, errors = store.run_once()
    if code == 0:
        raise Broken(f"a process starts, and says {errors!r}")
    if reason not in errors:
        raise Broken(f"the error does not name the reason {reason!r}: {errors!r}")
    if len(errors.strip().splitlines()) > 3:
        raise Broken(f"the error is long: {errors!r}")
    if contents(database) != before:
        raise Broken("the process has written something")


def refuse_requests(store, database, server, codes):
    """A process that runs must answer with an error, and write nothing."""
    before = contents(database)
    for reply in (store.create(server, "refused@b.co", tolerate=True), store.listed(server)):
        if "error" not in reply or reply["error"]["code"] not in codes:
            raise Broken(f"answered with {reply}")
    store.ledger.doubts.clear()
    if "error" in server.ask("system.info"):
        raise Broken("system.info fails")
    if contents(database) != before:
        raise Broken("the process has written something")


def role(trial, database, options=""):
    """A new role, which may sign in to all databases."""
    name = f"role_{database.name}"
    database.sql(f"CREATE ROLE {name} LOGIN {options}")
    return name


def no_rights_at_start(trial, options=""):
    database = trial.database()
    refuse_start(trial, database, "permission denied", role(trial, database, options))


def reading_rights(trial):
    """A role that may read everything, and write nothing."""
    database = trial.database()
    store = trial.store(database, ["c0@b.co"])
    name = role(trial, database)
    database.sql(f"GRANT USAGE ON SCHEMA postern TO {name}; GRANT SELECT ON ALL TABLES IN SCHEMA postern TO {name}")
    reader = store.at(database.uri(name))
    before = contents(database)
    with reader.serve() as server:
        try:
            reply = reader.create(server, "reader@b.co", tolerate=True)
        except Gone:
            reply = {"error": {"code": 0}}
        if "error" not in reply:
            raise Broken(f"a role that may only read writes: {reply}")
        if "permission denied" not in server.errors:
            raise Broken(f"the log does not name the reason: {server.errors!r}")
    if contents(database) != before:
        raise Broken("the process has written something")


def lost_rights(trial):
    """A role whose rights are taken away while a process runs, and given back."""
    database = trial.database()
    store = trial.store(database, ["c0@b.co"])
    name = role(trial, database)
    rights = "ALL TABLES IN SCHEMA postern", "ALL SEQUENCES IN SCHEMA postern"
    grants = "; ".join(f"GRANT ALL ON {right} TO {name}" for right in rights)
    database.sql(f"GRANT USAGE ON SCHEMA postern TO {name}; {grants}")
    user = store.at(database.uri(name))
    with user.serve() as server:
        user.create(server, "before@b.co")
        database.sql("; ".join(f"REVOKE ALL ON {right} FROM {name}" for right in rights))
        refuse_requests(user, database, server, (405, 500))
        database.sql(grants)
        user.create(server, "after@b.co")
        user.ledger.compare(user.listed(server)["result"])
        server.close()


def rights_without_creation(trial):
    """A store that is complete needs no rights to create tables."""
    database = trial.database()
    store = trial.store(database, ["c0@b.co"])
    name = role(trial, database)
    rights = "ALL TABLES IN SCHEMA postern", "ALL SEQUENCES IN SCHEMA postern"
    grants = "; ".join(f"GRANT ALL ON {right} TO {name}" for right in rights)
    database.sql(f"GRANT USAGE ON SCHEMA postern TO {name}; {grants}")
    user = store.at(database.uri(name))
    with user.serve() as server:
        user.create(server, "user@b.co")
        user.ledger.compare(user.listed(server)["result"])
        server.close()


def no_database(trial):
    database = trial.database()
    refuse_at_once(trial, database.server.uri("nowhere"), "createdb --owner=postgres nowhere")


def refuse_at_once(trial, address, help):
    """A process must end at its start without waiting for the server, with an error that says what to do."""
    store = trial.store_at(address)
    store.timeout = WAITING_SECONDS
    began = time.monotonic()
    code, _, errors = store.run_once()
    took = time.monotonic() - began
    if code == 0 or help not in errors:
        raise Broken(f"the process ends with {code}: {errors!r}")
    if took > WAITING_SECONDS / 2:
        raise Broken(f"the process waits {took:.1f} s")
    if len(errors.strip().splitlines()) != 1:
        raise Broken(f"the error is long: {errors!r}")


def wrong_password(trial):
    server = password_server(trial)
    refuse_at_once(trial, server.uri("postgres", f"{ROLE}:wrong"), "PGPASSFILE")


def no_password(trial):
    refuse_at_once(trial, password_server(trial).uri("postgres", ROLE), "PGPASSFILE")


def no_role(trial):
    refuse_at_once(trial, trial.database().server.uri("postgres", "no_such_role"), "pg_hba.conf")


def no_right_to_connect(trial):
    database = trial.database()
    name = role(trial, database)
    database.sql(f"REVOKE CONNECT ON DATABASE {database.name} FROM public")
    refuse_at_once(trial, database.uri(name), "GRANT CONNECT")


def password_server(trial):
    """A server where a role needs a password."""
    server = trial.enter(Server(is_durable=False))
    server.sql(f"CREATE ROLE {ROLE} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    path = os.path.join(server.data, "pg_hba.conf")
    with open(path) as file:
        rules = file.read()
    with open(path, "w") as file:
        file.write(f"local all {ROLE} scram-sha-256\n{rules}")
    server.sql("SELECT pg_reload_conf()")
    end = time.monotonic() + WAITING_SECONDS
    while time.monotonic() < end:
        try:
            run_sql(server.uri("postgres", f"{ROLE}:wrong"), "SELECT 1")
            time.sleep(0.05)
        except SQLFailed:
            return server
    raise Broken("the server does not ask for a password")


def lost_database(trial):
    """A process that runs meets a server without its database, as behind an address that leads elsewhere."""
    database = trial.database()
    other = f"{database.name}_away"
    server = database.server

    def rename(old, new):
        server.sql(
            f"ALTER DATABASE {old} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{old}'"
        )
        server.sql(f"ALTER DATABASE {old} RENAME TO {new}")
        server.sql(f"ALTER DATABASE {new} ALLOW_CONNECTIONS true")

    live_on(trial, trial.store(database, ["c0@b.co"]), lambda: rename(database.name, other),
            lambda: rename(other, database.name), "does not exist")


def lost_password(trial):
    """A process that runs meets a server that refuses its password."""
    server = password_server(trial)
    store = PostgresStore.make(trial.program, server.uri("postgres", f"{ROLE}:{PASSWORD}"), ["c0@b.co"])

    def change(password):
        server.sql(
            f"ALTER ROLE {ROLE} PASSWORD '{password}'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE usename = '{ROLE}'"
        )

    live_on(trial, store, lambda: change("another"), lambda: change(PASSWORD), "password authentication failed")


def live_on(trial, store, begin, end, reason):
    """A process must answer with `unavailable` while the server refuses it, live on, and serve again."""
    with store.serve() as server:
        store.create(server, "before@b.co")
        begin()
        for number in range(3):
            expect_unavailable(store.create(server, f"refused{number}@b.co", tolerate=True))
        if "error" in server.ask("system.info"):
            raise Broken("system.info fails")
        if reason not in server.errors:
            raise Broken(f"the log does not name the reason: {server.errors!r}")
        end()
        hold_back(store, server)
        store.ledger.compare(store.listed(server)["result"])
        if server.close() != 0:
            raise Broken(f"the process does not close: {server.errors[-300:]}")
    store.verify()


def newer_at_start(trial, format=99):
    database = trial.database()
    trial.store(database, ["c0@b.co"])
    database.sql(f"UPDATE postern.meta SET format = {format}")
    refuse_start(trial, database, "99")


def newer_meanwhile(trial):
    """A process of a newer version changes the format while an older one runs."""
    database = trial.database()
    store = trial.store(database, ["c0@b.co"])
    with store.serve() as server:
        store.create(server, "before@b.co")
        database.sql("UPDATE postern.meta SET format = 99")
        refuse_requests(store, database, server, (500,))
        if "99" not in server.errors:
            raise Broken(f"the log does not name the format: {server.errors!r}")
        database.sql("UPDATE postern.meta SET format = 1")
        end = slug(store.create(server, "after@b.co", tolerate=True))
        if end is not None:
            raise Broken(f"with its own format again, the process answers {end}")
        server.close()


def foreign_schema(trial):
    database = trial.database()
    database.sql("CREATE SCHEMA postern; CREATE TABLE postern.customers AS SELECT 1 AS id")
    refuse_start(trial, database, "customers")


def foreign_table(trial):
    """A table with the same name as one of Postern's, and other columns."""
    database = trial.database()
    database.sql("CREATE SCHEMA postern; CREATE TABLE postern.entries (id int); CREATE TABLE postern.meta (name text)")
    refuse_start(trial, database, "postern")
