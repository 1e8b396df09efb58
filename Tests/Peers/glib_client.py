"""jsonrpc-glib, with which GNOME Builder talks to its tools: its Client, with a process of GIO."""

import concurrent.futures
import json
import threading

import gi

gi.require_version("Json", "1.0")
gi.require_version("Jsonrpc", "1.0")
from gi.repository import Gio, GLib, Json, Jsonrpc

from checks import CALL_SECONDS_MAX
from story import COMMAND, Fault, play


class Peer:
    def __init__(self):
        self.loop = GLib.MainLoop()
        pipes = Gio.SubprocessFlags.STDIN_PIPE | Gio.SubprocessFlags.STDOUT_PIPE
        self.process = Gio.Subprocess.new(COMMAND, pipes)
        stream = Gio.SimpleIOStream.new(self.process.get_stdout_pipe(), self.process.get_stdin_pipe())
        self.client = Jsonrpc.Client.new(stream)
        self.client.start_listening()
        threading.Thread(target=self.loop.run, daemon=True).start()

    def call(self, method, params, id=None):
        reply = concurrent.futures.Future()

        def done(client, outcome):
            try:
                _, value = client.call_finish(outcome)
                reply.set_result(from_variant(value))
            except GLib.Error as error:
                # The GError's message is the error object in the text form of GVariants.
                error_object = GLib.Variant.parse(GLib.VariantType("a{sv}"), error.message, None, None).unpack()
                reply.set_exception(Fault(error_object["code"], error_object["message"], error_object.get("data")))

        GLib.idle_add(lambda: self.client.call_async(method, to_variant(params), None, done))
        return reply

    def notify(self, method, params):
        GLib.idle_add(lambda: self.client.send_notification_async(method, to_variant(params), None, None))

    def end(self):
        ended = concurrent.futures.Future()
        self.process.wait_async(None, lambda process, outcome: ended.set_result(process.wait_finish(outcome)))
        GLib.idle_add(lambda: self.client.close_async(None, None))
        ended.result(CALL_SECONDS_MAX)
        return self.process.get_exit_status()


def to_variant(params):
    return Json.gvariant_deserialize_data(json.dumps(params), -1, None)


def from_variant(value):
    return None if value is None else json.loads(Json.gvariant_serialize_data(value)[0])


play(Peer())
