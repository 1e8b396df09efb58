"""The Model Context Protocol's SDK for Python, 2.x: its Client, which supports both the stateless and the handshake
era.

What its Client corrects or hides is checked through the dispatcher below it, and with its models of each version.
"""

import asyncio
import contextlib
import warnings

import anyio
import mcp_types
from checks import CALL_SECONDS_MAX, DETERMINISTIC_FLAGS, Checks, Unexpected, expect, require
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp_story import DETERMINISTIC_TOOLS, HANDSHAKE_VERSIONS, Command, play, soon
from mcp_types.methods import validate_server_result

STATELESS_VERSION = "2026-07-28"
CREDENTIALS = {"email": "luke@example.com", "password": "a long password"}
VERSION_KEY, CAPABILITIES_KEY = mcp_types.PROTOCOL_VERSION_META_KEY, mcp_types.CLIENT_CAPABILITIES_META_KEY
ENVELOPE = {VERSION_KEY: STATELESS_VERSION, CAPABILITIES_KEY: {}}


class Peer:
    def __init__(self, client):
        self.client = client

    async def tools(self):
        return [plain(tool) for tool in (await self.client.list_tools()).tools]

    async def call(self, name, arguments):
        return plain(await self.client.call_tool(name, arguments))

    def code_of(self, error):
        return error.code


def plain(model):
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


def parameters_of(command):
    return StdioServerParameters(command=command.command, args=command.arguments, env=command.environment)


class Watched:
    """A stream of messages, in either direction, that records the ids of its messages."""

    def __init__(self, stream):
        self.stream, self.ids, self.waits = stream, [], {}

    def record(self, item):
        id = getattr(item.message, "id", None)
        self.ids.append(id)
        if id in self.waits:
            self.waits[id].set()

    async def wait_for(self, id):
        """Returns once a message with that id has passed. Must be called before the message is sent."""
        with anyio.fail_after(CALL_SECONDS_MAX):
            await self.waits.setdefault(id, anyio.Event()).wait()

    async def send(self, item):
        await self.stream.send(item)
        self.record(item)

    def __aiter__(self):
        return self

    async def __anext__(self):
        item = await self.stream.__anext__()
        self.record(item)
        return item

    async def __aenter__(self):
        await self.stream.__aenter__()
        return self

    async def __aexit__(self, *problem):
        return await self.stream.__aexit__(*problem)


class Raw:
    """Requests and results without any change by the Client."""

    def __init__(self, dispatcher, heard, said):
        self.dispatcher, self.heard, self.said = dispatcher, heard, said

    async def request(self, method, params=None, **options):
        return await soon(self.dispatcher.send_raw_request(method, params, options))

    async def stateless(self, method, **params):
        """The result of a request of the stateless era, validated with the SDK's model."""
        result = await self.request(method, {**params, "_meta": ENVELOPE})
        expect(result["resultType"], "complete", "the type of the result")
        expect(result["_meta"][mcp_types.SERVER_INFO_META_KEY]["name"], "postern", "the server")
        validate_server_result(method, STATELESS_VERSION, result)
        return result

    async def refusal(self, method, params=None):
        """The error reply of a request."""
        try:
            result = await self.request(method, params)
        except MCPError as error:
            return error
        raise Unexpected(f"{method} gave {result}")

    async def initialize(self, version):
        """Performs the handshake. Returns its result."""
        client = {"name": "a peer", "version": "1"}
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": client}
        shaken = await self.request("initialize", params)
        await self.dispatcher.notify("notifications/initialized", None)
        return shaken


async def ignore(*_):
    """Ignores requests and notifications of the service, which sends none."""


@contextlib.asynccontextmanager
async def raw_of(command):
    async with stdio_client(parameters_of(command)) as (replies, requests), anyio.create_task_group() as tasks:
        heard, said = Watched(replies), Watched(requests)
        dispatcher = JSONRPCDispatcher(heard, said)
        await tasks.start(dispatcher.run, ignore, ignore)
        yield Raw(dispatcher, heard, said)
        tasks.cancel_scope.cancel()


async def is_of_the_stateless_era(client):
    expect(client.protocol_version, STATELESS_VERSION, "the version")
    expect(client.server_info.name, "postern", "the server")
    require(client.session.initialize_result is None, "there was no handshake")
    require(client.server_capabilities.tools is not None, "the server has tools")


async def is_of_the_handshake_era(client):
    expect((client.protocol_version, client.server_info.name), ("2025-11-25", "postern"), "the version and the server")
    require(client.session.discover_result is None, "nothing was discovered")


async def pings(client):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expect(plain(await soon(client.send_ping())), {}, "the result")


async def discovers(raw):
    discovered = await raw.stateless("server/discover")
    require(STATELESS_VERSION in discovered["supportedVersions"], "the version is supported")
    expect(discovered["capabilities"]["tools"], {}, "the tools")
    check_caching(discovered)


async def lists_tools(raw):
    listed = await raw.stateless("tools/list")
    check_caching(listed)
    expect((await raw.stateless("tools/list"))["tools"], listed["tools"], "the tools the second time")


def check_caching(result):
    require(type(result["ttlMs"]) is int and result["ttlMs"] >= 0, "the result has a cache lifetime")
    expect(result["cacheScope"], "public", "the cache scope")


async def calls_tools(raw):
    info = await raw.stateless("tools/call", name="system_info")
    require("ttlMs" not in info and "cacheScope" not in info, "a call's result has no cache lifetime")
    expect(info["structuredContent"]["name"], "postern", "the name")
    refused = await raw.stateless("tools/call", name="operators_signin", arguments=CREDENTIALS)
    expect(refused["isError"], True, "isError")


async def wants_an_envelope(raw):
    for method, params in (("server/discover", {}), ("tools/list", {}), ("tools/call", {"name": "system_info"})):
        for missing in ENVELOPE:
            envelope = {key: value for key, value in ENVELOPE.items() if key != missing}
            error = await raw.refusal(method, {**params, "_meta": envelope})
            expect(error.code, -32602, f"the code of {method} without {missing}")
        expect((await raw.refusal(method, params)).code, -32602, f"the code of {method} without _meta")
    error = await raw.refusal("tools/list", {"_meta": {**ENVELOPE, VERSION_KEY: 2}})
    expect(error.code, -32602, "the code where the version is a number")


async def names_its_versions(raw):
    for version in ("2099-12-31", "2025-11-25", ""):
        error = await raw.refusal("server/discover", {"_meta": {**ENVELOPE, VERSION_KEY: version}})
        expect((error.code, error.data), (-32022, {"supported": [STATELESS_VERSION], "requested": version}), "the error")
        mcp_types.UnsupportedProtocolVersionErrorData.model_validate(error.data)


async def has_no_other_method(raw):
    for method in ("ping", "logging/setLevel", "prompts/list", "no/such"):
        expect((await raw.refusal(method, {"_meta": ENVELOPE})).code, -32601, f"the code of {method}")


async def echoes_ids(raw):
    for id in (0, -1, 9007199254740993, "é", "a b"):
        await raw.request("tools/call", {"name": "system_info", "_meta": ENVELOPE}, request_id=id)
        require(id in raw.heard.ids, f"the id {id} is returned unchanged")


async def leaves_a_cancelled_call(client, raw):
    """A call that is cancelled while it waits behind others gets no reply; the others do."""
    registration = {"user": {"first_name": "A", "last_name": "B", "email": CREDENTIALS["email"]}}
    await client("operators_register", {**registration, "password": CREDENTIALS["password"]}, "first")
    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(client, "operators_signin", CREDENTIALS, f"sign-in {number}")
        async with anyio.create_task_group() as cancelled:
            cancelled.start_soon(client, "operators_signin", CREDENTIALS, "cancelled")
            await raw.said.wait_for("cancelled")
            cancelled.cancel_scope.cancel()
    await client("system_info", {}, "last")
    expect(raw.heard.ids.count("cancelled"), 0, "the number of replies to the cancelled call")
    expect(len(raw.heard.ids), len(set(raw.heard.ids)), "the number of distinct replies to the other calls")


async def agrees_on(version, expected):
    """Requests a version of the protocol, and checks the raw results in that version."""
    async with raw_of(Command()) as raw:
        shaken = await raw.initialize(version)
        expect(shaken["protocolVersion"], expected, "the version")
        validate_server_result("initialize", expected, shaken)
        expect(await raw.request("ping"), {}, "the result of a ping")
        listed = await raw.request("tools/list")
        validate_server_result("tools/list", expected, listed)
        expect(set(listed), {"tools"}, "the properties of a list")
        called = await raw.request("tools/call", {"name": "system_info"})
        validate_server_result("tools/call", expected, called)
        require("resultType" not in called, "this version has no resultType")


async def rehearses():
    async with Client(parameters_of(Command(DETERMINISTIC_FLAGS)), mode=STATELESS_VERSION) as client:
        names = {tool.name for tool in (await soon(client.list_tools())).tools}
        expect(DETERMINISTIC_TOOLS & names, DETERMINISTIC_TOOLS, "the tools of deterministic mode")
        outbox = await soon(client.call_tool("system_outbox"))
        expect(outbox.structured_content, {"messages": []}, "the outbox")


async def speaks_both_eras_at_once():
    """A handshake in one request does not prevent the stateless era in the next."""
    async with raw_of(Command()) as raw:
        await raw.stateless("tools/list")
        await raw.initialize("2025-11-25")
        expect(set(await raw.request("tools/list")), {"tools"}, "the properties after a handshake")
        await raw.stateless("tools/list")


async def main():
    checks = Checks()
    for mode, looks in (("auto", is_of_the_stateless_era), ("legacy", is_of_the_handshake_era)):
        command = Command()
        async with Client(parameters_of(command), mode=mode, read_timeout_seconds=20) as client:
            await checks.run_async(f"{mode}: the client is connected", looks, client)
            await play(checks, Peer(client), f"{mode}: ")
            if mode == "legacy":
                await checks.run_async("legacy: a ping is answered", pings, client)
        checks.run(f"{mode}: the program exits with 0", lambda: expect(command.exit_code, 0, "the exit code"))
    async with raw_of(Command()) as raw:
        await checks.run_async("the result of server/discover is valid for the version", discovers, raw)
        await checks.run_async("a list of tools is valid for the version", lists_tools, raw)
        await checks.run_async("a call's result is valid for the version", calls_tools, raw)
        await checks.run_async("a request without its envelope is refused", wants_an_envelope, raw)
        await checks.run_async("the error for an unknown version names the supported ones", names_its_versions, raw)
        await checks.run_async("a method of another version is unknown", has_no_other_method, raw)
        await checks.run_async("ids are returned unchanged", echoes_ids, raw)
    async with raw_of(Command()) as raw:

        async def call(name, arguments, id):
            await raw.request("tools/call", {"name": name, "arguments": arguments, "_meta": ENVELOPE}, request_id=id)

        await checks.run_async("a cancelled call is not answered", leaves_a_cancelled_call, call, raw)
    for version in HANDSHAKE_VERSIONS:
        await checks.run_async(f"version {version} is agreed on", agrees_on, version, version)
    for version in ("2023-01-01", STATELESS_VERSION):
        await checks.run_async(f"instead of version {version}, the newest is offered", agrees_on, version, "2025-11-25")
    await checks.run_async("both eras work on one stream", speaks_both_eras_at_once)
    await checks.run_async("deterministic mode has its tools", rehearses)
    checks.end()


asyncio.run(main())
