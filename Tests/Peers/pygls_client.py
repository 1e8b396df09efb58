"""pygls, the language server framework in Python: its JsonRPCClient, on asyncio."""

import asyncio
import concurrent.futures
import threading

from checks import CALL_SECONDS_MAX
from pygls.client import JsonRPCClient
from pygls.exceptions import JsonRpcException
from story import COMMAND, Fault, play


class Client(JsonRPCClient):
    """A client that records the exit code of the process."""

    async def server_exit(self, server):
        self.exit_code.set_result(server.returncode)


class Peer:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.client = Client()
        self.client.exit_code = concurrent.futures.Future()
        asyncio.run_coroutine_threadsafe(self.client.start_io(*COMMAND), self.loop).result(CALL_SECONDS_MAX)

    def call(self, method, params, id=None):
        return asyncio.run_coroutine_threadsafe(self.reply(method, params, id), self.loop)

    async def reply(self, method, params, id):
        try:
            return plain(await self.client.protocol.send_request_async(method, params, id))
        except JsonRpcException as error:
            raise Fault(error.code, error.message, plain(error.data)) from None

    def notify(self, method, params):
        self.loop.call_soon_threadsafe(self.client.protocol.notify, method, params)

    def end(self):
        self.loop.call_soon_threadsafe(self.client.protocol.writer.close)
        return self.client.exit_code.result(CALL_SECONDS_MAX)


def plain(value):
    """The lists and dictionaries of a value; pygls returns objects as named tuples."""
    if hasattr(value, "_asdict"):
        return {name: plain(member) for name, member in value._asdict().items()}
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value


play(Peer())
