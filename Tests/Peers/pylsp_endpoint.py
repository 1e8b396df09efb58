"""python-lsp-jsonrpc, which the Python language server runs on: its Endpoint and its streams, on threads."""

import concurrent.futures
import itertools
import subprocess
import threading

from checks import CALL_SECONDS_MAX
from pylsp_jsonrpc.endpoint import Endpoint
from pylsp_jsonrpc.exceptions import JsonRpcException
from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter
from story import COMMAND, Fault, play


class Peer:
    def __init__(self):
        self.process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.writer = JsonRpcStreamWriter(self.process.stdin, ensure_ascii=False)
        self.numbers = itertools.count(1)
        self.next_id = None
        self.endpoint = Endpoint({}, self.writer.write, id_generator=self.make_id)
        reader = JsonRpcStreamReader(self.process.stdout)
        threading.Thread(target=reader.listen, args=(self.endpoint.consume,), daemon=True).start()

    def make_id(self):
        made, self.next_id = self.next_id, None
        return made or next(self.numbers)

    def call(self, method, params, id=None):
        self.next_id = id
        reply = concurrent.futures.Future()
        self.endpoint.request(method, params).add_done_callback(lambda done: pass_on(done, reply))
        return reply

    def notify(self, method, params):
        self.endpoint.notify(method, params)

    def end(self):
        self.writer.close()
        return self.process.wait(CALL_SECONDS_MAX)


def pass_on(done, reply):
    """Passes on the outcome of a call, with its error as a Fault."""
    error = done.exception()
    if error is None:
        reply.set_result(done.result())
    elif isinstance(error, JsonRpcException):
        reply.set_exception(Fault(error.code, error.message, error.data))
    else:
        reply.set_exception(error)


play(Peer())
