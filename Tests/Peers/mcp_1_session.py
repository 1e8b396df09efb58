"""The Model Context Protocol's SDK for Python, 1.x: its ClientSession with its stdio_client."""

import asyncio
import contextlib

from checks import DETERMINISTIC_FLAGS, Checks, expect, require
from mcp import ClientSession, McpError, StdioServerParameters, stdio_client, types
from mcp_story import DETERMINISTIC_TOOLS, HANDSHAKE_VERSIONS, Command, play, soon


class Peer:
    def __init__(self, session):
        self.session = session

    async def tools(self):
        return [plain(tool) for tool in (await self.session.list_tools()).tools]

    async def call(self, name, arguments):
        return plain(await self.session.call_tool(name, arguments))

    def code_of(self, error):
        return error.error.code


def plain(model):
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


@contextlib.asynccontextmanager
async def session_of(command):
    """A session that is not initialized yet."""
    parameters = StdioServerParameters(command=command.command, args=command.arguments, env=command.environment)
    async with stdio_client(parameters) as (replies, requests), ClientSession(replies, requests) as session:
        yield session


async def initializes(session):
    shaken = await soon(session.initialize())
    expect((shaken.protocolVersion, shaken.serverInfo.name), ("2025-11-25", "postern"), "the version and the server")
    require(shaken.capabilities.tools is not None, "the server has tools")
    require(shaken.capabilities.prompts is None and shaken.capabilities.resources is None, "it has only tools")


async def pings(session):
    expect(plain(await soon(session.send_ping())), {}, "the result")


async def survives_a_call_given_up(session):
    """This SDK sends nothing when a call is abandoned, and its reply arrives when no task waits for it."""
    credentials = {"email": "luke@example.com", "password": "a long password"}
    calls = [asyncio.create_task(session.call_tool("operators_signin", credentials)) for _ in range(4)]
    given_up = asyncio.create_task(session.call_tool("operators_signin", credentials))
    await soon(session.send_ping())
    given_up.cancel()
    for call in calls:
        require(not (await soon(call)).isError, "the other calls are answered")
    await soon(session.send_ping())


async def agrees_on(version, expected):
    """Requests a version of the protocol, and checks the version that is offered."""
    async with session_of(Command()) as session:
        params = types.InitializeRequestParams(
            protocolVersion=version,
            capabilities=types.ClientCapabilities(),
            clientInfo=types.Implementation(name="a peer", version="1"),
        )
        request = types.ClientRequest(types.InitializeRequest(params=params))
        shaken = await soon(session.send_request(request, types.InitializeResult))
        expect(shaken.protocolVersion, expected, "the version")
        await session.send_notification(types.ClientNotification(types.InitializedNotification()))
        require(len((await soon(session.list_tools())).tools) > 30, "it lists its tools")


async def rehearses():
    async with session_of(Command(DETERMINISTIC_FLAGS)) as session:
        await soon(session.initialize())
        names = {tool.name for tool in (await soon(session.list_tools())).tools}
        expect(DETERMINISTIC_TOOLS & names, DETERMINISTIC_TOOLS, "the tools of deterministic mode")
        outbox = plain(await soon(session.call_tool("system_outbox")))
        expect(outbox["structuredContent"], {"messages": []}, "the outbox")


async def has_no_method(session):
    try:
        await soon(session.list_prompts())
    except McpError as error:
        expect(error.error.code, -32601, "the code")
    else:
        raise AssertionError("the server listed prompts")


async def main():
    checks = Checks()
    command = Command()
    async with session_of(command) as session:
        await checks.run_async("the session is initialized", initializes, session)
        await checks.run_async("a ping is answered", pings, session)
        await play(checks, Peer(session))
        await checks.run_async("the reply to an abandoned call does no harm", survives_a_call_given_up, session)
        await checks.run_async("a method of a missing capability is unknown", has_no_method, session)
    checks.run("the program exits with 0 after its input", lambda: expect(command.exit_code, 0, "the exit code"))
    for version in HANDSHAKE_VERSIONS:
        await checks.run_async(f"version {version} is agreed on", agrees_on, version, version)
    for version in ("2023-01-01", "2026-07-28", "2099-12-31"):
        await checks.run_async(f"instead of version {version}, the newest is offered", agrees_on, version, "2025-11-25")
    await checks.run_async("deterministic mode has its tools", rehearses)
    checks.end()


asyncio.run(main())
