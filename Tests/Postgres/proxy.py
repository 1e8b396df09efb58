"""A proxy between clients and a PostgreSQL server, which counts round trips and injects faults.

It reads the protocol: the bytes of a client go on in whole groups of messages, those of the server in whole answers,
so that a test can choose a group, and the byte of it or of its answer at which the connection is cut.

**A round trip** is counted when the client has the answers to everything that it has sent. A client that sends a group
and then another one before it has the first answer has waited once. To tell such a client from a fast server, the
answer to a group that leaves no transaction open is held for `hold_seconds`, or until the client sends more on any
connection: a client that does not wait for that answer goes on without it. The messages that open a connection are not
counted, nor are transactions of which `is_other_work` says so.
"""

import contextlib
import dataclasses
import os
import socket
import threading
import time

import protocol
from protocol import Group, Splitter
from servers import uri

CHUNK_BYTES = 1 << 16
HOLD_SECONDS = 0.5
QUIET_SECONDS_MAX = 30


@dataclasses.dataclass
class Cut:
    """Where a group, or its answer, is cut.

    With `request`, the server gets that many bytes of the group, and with `answer`, the client gets that many bytes of
    the answer; then the connection ends. With `is_held`, only the client's side ends: the rest of the group waits for
    `Link.deliver`.
    """

    request: int | None = None
    answer: int | None = None
    is_held: bool = False


class Link:
    """A connection of a client, and the one to the server that belongs to it."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.held = b""
        # The server's bytes that came after the client's side was cut.
        self.late = b""
        self.is_cut = self.is_holding = False
        # Whether the transaction under way is not counted.
        self._is_other_work = False
        self._prepared = {}
        self._changed = threading.Condition()
        # The groups that ask for an answer: how many were sent on, and how many were answered.
        self._asked = self._answered = 0
        self._unanswered = []
        self._answer_cut = None
        self._is_started = self._is_flushing = self._has_ended = False

    def start(self):
        threading.Thread(target=self._pump_client, daemon=True).start()
        threading.Thread(target=self._pump_server, daemon=True).start()

    @property
    def is_quiet(self):
        """Whether the client has all answers that it has asked for."""
        is_idle = self._is_started and self._asked == self._answered
        return is_idle or self._has_ended or self._is_other_work

    # From the client

    def _pump_client(self):
        try:
            if self._open():
                splitter = Splitter(protocol.ASKING + protocol.PASSING)
                while data := self.client.recv(CHUNK_BYTES):
                    for piece, found in splitter.add(data):
                        self._forward(piece, found)
        except OSError:
            pass
        finally:
            if not self.is_holding:
                self.cut()

    def _open(self):
        """Passes on the packet that begins a connection. Encryption is refused. Returns whether messages follow."""
        data = b""
        while True:
            while (first := protocol.first_packet(data)) is None:
                more = self.client.recv(CHUNK_BYTES)
                if not more:
                    return False
                data += more
            code, length = first
            if code not in (protocol.SSL_REQUEST, protocol.GSS_REQUEST):
                self._send_to_server(data)
                return code != protocol.CANCEL_REQUEST
            self.client.sendall(b"N")
            data = data[length:]

    def _forward(self, piece, found):
        group = Group(piece, found, self._prepared)
        self.proxy.wait(self)
        cut = self.proxy.cut_of(self, group) if group.statements else None
        if cut is not None and cut.request is not None:
            if cut.is_held:
                self.is_holding, self.held = True, piece[cut.request:]
            # From now on the client gets nothing, even if the server answers at once.
            self.is_cut = True
            self._send_to_server(piece[:cut.request])
            self.cut(client_only=cut.is_held)
            raise ConnectionAbortedError
        with self._changed:
            if group.begins:
                self._is_other_work = self.proxy.is_other_work(group)
            self._is_flushing = found[-1].kind == "H"
            if group.asks:
                self._asked += 1
                if not self._is_other_work:
                    self.proxy.note(asked=1)
                self._unanswered.append(group)
                if cut is not None:
                    self._answer_cut = (self._asked, cut.answer)
            self._changed.notify_all()
        self._send_to_server(piece)

    def _send_to_server(self, data):
        self.proxy.note(sent=len(data))
        self.server.sendall(data)

    # From the server

    def _pump_server(self):
        splitter = Splitter(protocol.ANSWERING)
        try:
            while data := self.server.recv(CHUNK_BYTES):
                if self.is_cut:
                    with self._changed:
                        self.late += data
                        self._changed.notify_all()
                    continue
                for piece, found in splitter.add(data):
                    self._deliver_answer(piece, found[-1])
                if self._is_flushing or not self._is_started:
                    self._send_to_client(splitter.rest())
            self._send_to_client(splitter.rest())
        except OSError:
            pass
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()
            self.cut()

    def _deliver_answer(self, piece, last):
        self.proxy.wait(self)
        if last.kind != "Z":
            return self._send_to_client(piece)
        if not self._is_started:
            self._is_started = True
            return self._send_to_client(piece)
        with self._changed:
            number = self._answered + 1
            self._unanswered.pop(0).answer_bytes = len(piece)
            before = self.proxy.asked
            if last.body.decode() == protocol.IDLE and self.proxy.hold_seconds and not self._is_other_work:
                self._changed.wait_for(lambda: self._asked > number or self.is_cut, self.proxy.hold_seconds)
            cut = self._answer_cut
            is_cut = cut is not None and cut[0] == number
            self._answered = number
            if self._answered == self._asked and self.proxy.asked == before and not self._is_other_work:
                self.proxy.note(trips=1)
            self._changed.notify_all()
        self._send_to_client(piece[:cut[1]] if is_cut else piece)
        if is_cut:
            self.cut()
            raise ConnectionAbortedError

    def _send_to_client(self, data):
        if data:
            self.proxy.note(received=len(data))
            self.client.sendall(data)

    # Faults

    def cut(self, client_only=False):
        """Ends the connection, or only the client's side of it."""
        self.is_cut = True
        with self._changed:
            self._changed.notify_all()
        for end in [self.client] if client_only else [self.client, self.server]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def deliver(self, seconds=10):
        """Sends the held bytes to the server, and ends the connection. Returns the server's late answer."""
        held, self.held = self.held, b""
        with contextlib.suppress(OSError):
            self.server.sendall(held)
            # The server answers what it has got, and then closes.
            self.server.shutdown(socket.SHUT_WR)
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_ended, seconds):
                raise TimeoutError("the server does not end the connection whose bytes were held")
        return self.late


class Proxy:
    """A proxy in front of a server. It listens on a socket in a folder, or on a port of 127.0.0.1."""

    def __init__(self, target, folder=None):
        """`target` is the path of the server's socket, or a host and a port."""
        self.target, self.folder = target, folder
        self.links = []
        # Called with a link and a group; it returns a `Cut` or None.
        self.rule = None
        # Called with a group that begins a transaction; it returns whether the transaction is not counted.
        self.is_other_work = lambda group: False
        self.delay_seconds = 0
        self.hold_seconds = 0
        # Called before a new connection to the server is opened.
        self.before_connecting = None
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        # The groups that asked for an answer, on all connections, and the round trips.
        self.asked = self.trips = 0
        self.sent = self.received = self.connections = 0
        self._listener = self._listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _listen(self):
        if self.folder is None:
            return socket.create_server(("127.0.0.1", 0))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(self.folder, ".s.PGSQL.5432"))
        listener.listen(100)
        return listener

    def uri(self, database="postgres", user="postgres", **parameters):
        """The address of a database through the proxy."""
        if self.folder is not None:
            return uri(self.folder, database, user, **parameters)
        host, port = self._listener.getsockname()
        return uri(f"{host}:{port}", database, user, **parameters)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        try:
            if self.before_connecting is not None:
                self.before_connecting()
            if isinstance(self.target, str):
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.target)
            else:
                server = socket.create_connection(self.target)
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            return client.close()
        if client.family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, client, server)
        with self._lock:
            self.connections += 1
            self.links = [other for other in self.links if not other._has_ended] + [link]
        link.start()

    # What links ask

    def wait(self, link):
        """Waits while nothing is passed on, and for the delay."""
        self._open.wait()
        if self.delay_seconds and link._is_started:
            time.sleep(self.delay_seconds)

    def cut_of(self, link, group):
        rule = self.rule
        return rule(link, group) if rule is not None else None

    def note(self, asked=0, trips=0, sent=0, received=0):
        with self._lock:
            self.asked += asked
            self.trips += trips
            self.sent += sent
            self.received += received

    # Faults

    def cut_all(self):
        """Ends all connections."""
        for link in self.links:
            link.cut()

    def stop(self):
        """Passes nothing on until `resume`, and closes nothing."""
        self._open.clear()

    def resume(self):
        self._open.set()

    def close(self):
        self._listener.close()
        self.resume()
        self.cut_all()
        if self.folder is not None:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.folder, ".s.PGSQL.5432"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Counting

    def count(self, action):
        """Runs an action. Returns the number of round trips that it waited for, and its result."""
        self.hold_seconds = HOLD_SECONDS
        try:
            self.wait_until_quiet()
            before = self.trips
            result = action()
            return self.trips - before, result
        finally:
            self.hold_seconds = 0

    def wait_until_quiet(self):
        """Waits until all clients have all answers that they have asked for."""
        end = time.monotonic() + QUIET_SECONDS_MAX
        while not all(link.is_quiet for link in self.links):
            if time.monotonic() > end:
                raise TimeoutError(f"a client waits for more than {QUIET_SECONDS_MAX} s")
            time.sleep(0.01)
