"""A database that must not be used: with a role without rights, of a newer format, or with a schema of another program.

Guarantee: the process ends at its start with an error that names the reason, and writes nothing. A process that runs
already answers each request with an error, writes nothing, and works again once the reason is gone.
"""

from databases import slug
from postern import Broken, Gone
from servers import SQLFailed

NAME = "rights, format, schema"
# All that a database holds: the relations, and the rows of Postern's tables.
RELATIONS = "SELECT oid, relname, relnamespace, relfilenode FROM pg_class WHERE relnamespace::regnamespace::text IN "
RELATIONS += "('postern', 'public') ORDER BY oid"
CONTENTS = "SELECT md5(string_agg(key::text || value::text, ',' ORDER BY key)) FROM postern.entries"


def run(trial):
    cases = [no_rights_at_start, reading_rights, lost_rights, rights_without_creation, no_database, newer_at_start,
             newer_meanwhile, foreign_schema, foreign_table]
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
    code, _, errors = trial.store_at(database.server.uri("nowhere")).run_once()
    if code == 0 or "nowhere" not in errors:
        raise Broken(f"without a database, the process ends with {code}: {errors!r}")


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
