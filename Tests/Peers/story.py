"""The checks of the Python peers that multiplex calls over Content-Length headers.

A peer implements these functions with its own library only:

    call(method, params, id=None)   sends a request; returns a concurrent.futures.Future of its result or of a Fault
    notify(method, params)          sends a notification
    end()                           ends the input and waits; returns the exit code
"""

import dataclasses
import os

from checks import CALL_SECONDS_MAX, Checks, Unexpected, expect, require

BINARY = os.environ["POSTERN_BIN"]
COMMAND = [BINARY, "--data", ":memory:", "--no-email-confirmation"]
TEXT = "é 😀 \u00a0 \u200d \\ \" 漢字"
CONCURRENT_CALLS = 1000
PASSWORD = "a long password"


class Fault(Exception):
    """An error reply of the service."""

    def __init__(self, code, message, data=None):
        super().__init__(code, message, data)
        self.code, self.message, self.data = code, message, data


@dataclasses.dataclass
class Operator:
    """An operator with a session."""

    id: int
    session_id: str
    email: str

    @property
    def session(self):
        return {"user_id": self.id, "session_id": self.session_id}


def play(peer):
    """Runs all checks of a peer, and prints their outcome."""
    checks = Checks()
    operator = checks.run("a call gets its result", registers, peer)
    checks.run("an error of the service has its code, message and data", is_refused, peer, operator)
    checks.run("an unknown method is an error", has_no_such_method, peer)
    checks.run("params of the wrong kind are an error", refuses_params, peer)
    checks.run("a method without a result returns null", gives_null, peer)
    checks.run("a notification is executed and gets no reply", takes_notifications, peer, operator)
    checks.run("non-ASCII text is returned unchanged", keeps_text, peer, operator)
    checks.run(f"{CONCURRENT_CALLS} concurrent calls each get their own reply", answers_concurrently, peer)
    checks.run("a cancelled call is answered nevertheless", answers_what_is_cancelled, peer, operator)
    checks.run("a request of 1 MiB is accepted", takes_a_mebibyte, peer)
    checks.run("a reply of 1 MiB is read", gives_a_mebibyte, peer)
    checks.run("the program exits with 0 at the end of its input", ends, peer)
    checks.end()


def result(future):
    return future.result(timeout=CALL_SECONDS_MAX)


def fault(future):
    """The error reply of a call."""
    try:
        value = result(future)
    except Fault as error:
        return error
    raise Unexpected(f"got a result instead of an error: {str(value)[:200]}")


def person(email, first_name="Luke", last_name="Sorenson"):
    return {"first_name": first_name, "last_name": last_name, "email": email}


def register(peer, email):
    params = {"user": person(email), "password": PASSWORD}
    registered = result(peer.call("operators.register", params))
    return Operator(registered["id"], registered["session_id"], email)


def sign_in(peer, operator, id=None):
    return peer.call("operators.signin", {"email": operator.email, "password": PASSWORD}, id)


def create_client(peer, operator, email, address, **names):
    return peer.call(
        "operators.client.create", {**operator.session, "client": {"user": person(email, **names), "address": address}}
    )


def clients(peer, operator, provision=0):
    return peer.call("operators.clients.get", {**operator.session, "provision": provision})


def registers(peer):
    operator = register(peer, "luke@example.com")
    require(len(operator.session_id) == 128, "a session has 128 digits")
    expect(result(sign_in(peer, operator))["id"], operator.id, "the id")
    return operator


def is_refused(peer, operator):
    error = fault(peer.call("operators.signin", {"email": operator.email, "password": "a wrong password"}))
    expect(error.code, -9, "the code")
    expect(error.message, "Password is incorrect for this account.", "the message")
    expect(error.data, {"errors": ["wrong_password"]}, "the data")


def has_no_such_method(peer):
    error = fault(peer.call("operators.sing", {}))
    expect((error.code, error.message), (-32601, "Method not found: operators.sing (did you mean operators.signin?)"), "the error")


def refuses_params(peer):
    error = fault(peer.call("operators.signin", ["luke@example.com"]))
    expect((error.code, error.message), (-32602, "Invalid params: operators.signin takes an object with email, password"), "the error")


def gives_null(peer):
    operator = register(peer, "leaving@example.com")
    expect(result(peer.call("operators.signout", operator.session)), None, "the result")
    expect(fault(clients(peer, operator)).code, -2, "the code")


def takes_notifications(peer, operator):
    client = {"user": person("notified@example.com"), "address": "by a notification"}
    peer.notify("operators.client.create", {**operator.session, "client": client})
    peer.notify("no.such.method", {})
    listed = result(clients(peer, operator))["clients"]
    expect([client["address"] for client in listed], ["by a notification"], "the list")


def keeps_text(peer, operator):
    created = result(create_client(peer, operator, "text@example.com", TEXT, first_name="Zoë"))
    expect((created["address"], created["user"]["first_name"]), (TEXT, "Zoë"), "the created client")
    listed = result(clients(peer, operator))["clients"]
    require(TEXT in [client["address"] for client in listed], "the list has the text")


def answers_concurrently(peer):
    """Sign-ins, which need a password hash each, between writes and reads, which need none and overtake them."""
    # Too many sign-ins close the account's oldest session, so accounts that sign in do nothing else.
    visitors = [register(peer, f"visitor{number}@example.com") for number in range(8)]
    operators = [register(peer, f"operator{number}@example.com") for number in range(8)]
    finished = []
    calls = []
    for number in range(CONCURRENT_CALLS):
        kind = "sign in" if number % 10 == 0 else "list" if number % 2 == 0 else "create"
        who = (visitors if kind == "sign in" else operators)[number % 8]
        if kind == "sign in":
            future = sign_in(peer, who)
        elif kind == "list":
            future = clients(peer, who)
        else:
            future = create_client(peer, who, f"client{number}@example.com", f"address {number}")
        future.add_done_callback(lambda _, number=number: finished.append(number))
        calls.append((number, kind, who, future))
    for number, kind, who, future in calls:
        reply = result(future)
        if kind == "sign in":
            expect(reply["user"]["email"], who.email, f"the account of sign-in {number}")
        elif kind == "list":
            owners = {number_of(client) % 8 for client in reply["clients"]}
            require(owners <= {operators.index(who)}, f"call {number} listed another operator's clients")
        else:
            expect(number_of(reply), number, f"the client of call {number}")
    for who in operators:
        numbers = {number_of(client) for client in result(clients(peer, who))["clients"]}
        due = {number for number, kind, owner, _ in calls if owner is who and kind == "create"}
        expect(numbers, due, f"the clients of {who.email}")
    expect(len(finished), CONCURRENT_CALLS, "the number of replies")
    require(finished != sorted(finished), "a reply overtook another")


def number_of(client):
    """The number in a client's address."""
    return int(client["address"].removeprefix("address "))


def answers_what_is_cancelled(peer, operator):
    future = sign_in(peer, operator, id="to be cancelled")
    peer.notify("$/cancelRequest", {"id": "to be cancelled"})
    expect(result(future)["id"], operator.id, "the id")


def takes_a_mebibyte(peer):
    expect(result(peer.call("system.info", {"ignored": "é" * (1 << 19)}))["name"], "postern", "the name")


def gives_a_mebibyte(peer):
    operator = register(peer, "many@example.com")
    address = "é😀" * 500
    created = [create_client(peer, operator, f"{number}@example.com", address) for number in range(400)]
    ids = {result(future)["id"] for future in created}
    listed = result(clients(peer, operator))["clients"]
    expect({client["id"] for client in listed}, ids, "the ids")
    expect({client["address"] for client in listed}, {address}, "the addresses")
    require(sum(len(client["address"].encode()) for client in listed) > 1 << 20, "the reply has a mebibyte")


def ends(peer):
    expect(peer.end(), 0, "the exit code")
