"""The checks of all peers of the Model Context Protocol, whatever version of the SDK and of the protocol they use.

A peer implements these functions with its SDK only, and uses the protocol's own names:

    await tools()                  the tools, as dictionaries
    await call(name, arguments)    the result of a tool's call, as a dictionary; raises the SDK's exception for an
    error
    code_of(error)                 the code of such an exception
"""

import asyncio
import json
import os
import re
import tempfile
from pathlib import Path

from checks import CALL_SECONDS_MAX, Unexpected, expect, require
from jsonschema import Draft202012Validator

BINARY = os.environ["POSTERN_BIN"]
LIVE = ["--data", ":memory:", "--no-email-confirmation"]
DETERMINISTIC_TOOLS = {"system_advance_clock", "system_outbox", "system_invite"}
HANDSHAKE_VERSIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
PASSWORD = "a long password"
TEXT = "é 😀 \u200d \\ \" 漢字"
CONCURRENT_CALLS = 100


class Command:
    """A command line that runs the binary and stores its exit code, which the SDKs do not expose."""

    def __init__(self, flags=LIVE):
        self.directory = tempfile.TemporaryDirectory()
        self.exit_code_path = Path(self.directory.name, "exit-code")
        self.command = "sh"
        self.arguments = ["-c", '"$0" "$@"; echo "$?" > "$EXIT_CODE_PATH"', BINARY, *flags]
        # The SDKs pass only a few variables to the process.
        self.environment = {
            name: value for name, value in os.environ.items() if name in ("SOUND_POSTERN", "MUTANT")
        } | {"EXIT_CODE_PATH": str(self.exit_code_path)}

    @property
    def exit_code(self):
        """The exit code; None if the SDK had to kill the process."""
        return int(self.exit_code_path.read_text()) if self.exit_code_path.exists() else None


async def play(checks, peer, prefix=""):
    """Runs all checks of tools in an initialized session."""
    await checks.run_async(prefix + "each method has a tool with a complete description", lists_tools, peer)
    await checks.run_async(prefix + "the result of a reading tool matches its schema", reads, peer)
    session = await checks.run_async(prefix + "the results of writing tools match their schemas", writes, peer)
    await checks.run_async(prefix + "a tool without a result says so in its text", says_no_value, peer)
    await checks.run_async(prefix + "an error of the service is a tool's result", is_refused, peer)
    await checks.run_async(prefix + "an error about arguments is a tool's result", refuses_arguments, peer)
    await checks.run_async(prefix + "an unknown tool is an error", has_no_such_tool, peer)
    await checks.run_async(prefix + "non-ASCII text is returned unchanged", keeps_text, peer, session)
    name = f"{prefix}{CONCURRENT_CALLS} concurrent calls each get their own result"
    await checks.run_async(name, answers_concurrently, peer, session)
    await checks.run_async(prefix + "a result of 1 MiB is read", gives_a_mebibyte, peer)


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, CALL_SECONDS_MAX)


async def value_of(peer, tool, **arguments):
    """The value of a tool's result, after a comparison with its schema and its text."""
    result = await soon(peer.call(tool, arguments))
    require(not result.get("isError"), f"{tool} gave an error: {text_of(result)}")
    value = result["structuredContent"]
    expect(json.loads(text_of(result)), value, f"the text of {tool}")
    Draft202012Validator(peer.output_schemas[tool], format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
    return value


async def error_of(peer, tool, **arguments):
    """The error in a tool's result."""
    result = await soon(peer.call(tool, arguments))
    expect(result.get("isError"), True, "isError")
    expect(result.get("structuredContent"), None, "the structured content")
    return json.loads(text_of(result))


def text_of(result):
    """The text of a result that has only text."""
    (content,) = result["content"]
    expect(content["type"], "text", "the type of the content")
    return content["text"]


async def lists_tools(peer):
    tools = await soon(peer.tools())
    for tool in tools:
        check_tool(tool)
    peer.output_schemas = {tool["name"]: tool.get("outputSchema") for tool in tools}
    expect(len(peer.output_schemas), len(tools), "the number of names")
    methods = set((await value_of(peer, "system_info"))["methods"]) - {"rpc.discover"}
    expect(set(peer.output_schemas), {method.replace(".", "_") for method in methods}, "the names")
    expect(DETERMINISTIC_TOOLS & set(peer.output_schemas), set(), "the tools of deterministic mode")


def check_tool(tool):
    """Fails if a tool's description lacks a property that hosts use."""
    name = tool["name"]
    require(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name), f"hosts accept the name {name}")
    for field in ("title", "description"):
        require(tool.get(field, "").strip(), f"{name} has a {field}")
    expect(tool["inputSchema"]["type"], "object", f"the type of the input of {name}")
    Draft202012Validator.check_schema(tool["inputSchema"])
    if tool.get("outputSchema") is not None:
        expect(tool["outputSchema"]["type"], "object", f"the type of the output of {name}")
        Draft202012Validator.check_schema(tool["outputSchema"])
    hints = tool["annotations"]
    for hint in ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"):
        require(isinstance(hints.get(hint), bool), f"{name} has a {hint}")
    require(not (hints["readOnlyHint"] and hints["destructiveHint"]), f"{name} is not both read-only and destructive")


async def reads(peer):
    info = await value_of(peer, "system_info")
    expect((info["name"], info["store"]["kind"]), ("postern", os.environ.get("STORE_KIND", "memory")), "the name and the store")


def person(email, first_name="Luke"):
    return {"first_name": first_name, "last_name": "Sorenson", "email": email}


async def register(peer, email):
    operator = await value_of(peer, "operators_register", user=person(email), password=PASSWORD)
    return {"user_id": operator["id"], "session_id": operator["session_id"]}


async def create(peer, session, email, address, **names):
    client = {"user": person(email, **names), "address": address}
    return await value_of(peer, "operators_client_create", **session, client=client)


async def clients(peer, session):
    return (await value_of(peer, "operators_clients_get", **session, provision=0))["clients"]


async def writes(peer):
    session = await register(peer, "luke@example.com")
    created = await create(peer, session, "mary@example.com", "an address")
    expect(await clients(peer, session), [created], "the list")
    return session


async def says_no_value(peer):
    session = await register(peer, "leaving@example.com")
    result = await soon(peer.call("operators_signout", session))
    expect(text_of(result), "Accepted. This tool returns no value.", "the text")
    expect((result.get("isError", False), result.get("structuredContent")), (False, None), "the other properties")
    expect(peer.output_schemas["operators_signout"], None, "the output schema")
    expect((await error_of(peer, "operators_clients_get", **session, provision=0))["code"], -2, "the code")


async def is_refused(peer):
    error = await error_of(peer, "operators_signin", email="luke@example.com", password="a wrong password")
    message = "Password is incorrect for this account."
    expect(error, {"code": -9, "message": message, "data": {"errors": ["wrong_password"]}}, "the error")


async def refuses_arguments(peer):
    error = await error_of(peer, "operators_signin", email=1, password=PASSWORD)
    expect((error["code"], error["data"]), (-3, {"errors": ["field_invalid"], "field": "email"}), "of a wrong type")
    error = await error_of(peer, "operators_signin", email="luke@example.com")
    expect((error["code"], error["data"]), (-3, {"errors": ["field_required"], "field": "password"}), "of a missing one")


async def has_no_such_tool(peer):
    for tool in ("operators_sing", "operators.signin", "rpc_discover", "system_outbox"):
        try:
            result = await soon(peer.call(tool, {}))
        except Exception as error:
            expect(peer.code_of(error), -32602, f"the code for {tool}")
        else:
            raise Unexpected(f"{tool} gave {result}")


async def keeps_text(peer, session):
    created = await create(peer, session, "text@example.com", TEXT, first_name="Zoë")
    expect((created["address"], created["user"]["first_name"]), (TEXT, "Zoë"), "the created client")
    require(TEXT in [client["address"] for client in await clients(peer, session)], "the list has the text")


async def answers_concurrently(peer, session):
    """Sign-ins, which need a password hash each, between writes, which need none."""
    busy = await register(peer, "busy@example.com")

    async def call(number):
        if number % 10 == 0:
            operator = await value_of(peer, "operators_signin", email="luke@example.com", password=PASSWORD)
            expect(operator["id"], session["user_id"], f"the account of sign-in {number}")
        else:
            created = await create(peer, busy, f"client{number}@example.com", f"address {number}")
            expect(created["address"], f"address {number}", f"the client of call {number}")

    await asyncio.gather(*(call(number) for number in range(CONCURRENT_CALLS)))
    expect(len(await clients(peer, busy)), CONCURRENT_CALLS * 9 // 10, "the number of clients")


async def gives_a_mebibyte(peer):
    many = await register(peer, "many@example.com")
    address = "é😀" * 500
    # The result contains each address twice: as text and as structured content.
    await asyncio.gather(*(create(peer, many, f"{number}@example.com", address) for number in range(200)))
    listed = await clients(peer, many)
    expect([client["address"] for client in listed], [address] * 200, "the addresses")
