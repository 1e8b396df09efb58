"""Messages of PostgreSQL's protocol, version 3, as far as the proxy reads them.

A client sends messages in groups. The server answers a group with messages up to ReadyForQuery, whose status says
whether a transaction is open.
"""

import dataclasses
import struct

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
# The messages of a client after which the server answers: Sync, Query, FunctionCall.
ASKING = b"SQF"
# The messages after which a client may wait for something else: Flush, Terminate, passwords, and those of COPY.
PASSING = b"HXpdcf"
# The messages after which a server waits, or which it sends in long rows: ReadyForQuery, authentication, those of COPY.
ANSWERING = b"ZRGHWdc"
IDLE = "I"


@dataclasses.dataclass
class Message:
    """A message, and its place in the bytes that it came with."""

    kind: str
    start: int
    end: int
    body: bytes


def first_packet(data):
    """The code and the length of the packet that begins a connection; None if it is not complete."""
    if len(data) < 8:
        return None
    length, code = struct.unpack("!II", data[:8])
    return (code, length) if len(data) >= length else None


def message_at(data, place):
    """The message at an offset; None if it is not complete."""
    if len(data) - place < 5:
        return None
    (length,) = struct.unpack_from("!I", data, place + 1)
    end = place + 1 + length
    return Message(chr(data[place]), place, end, bytes(data[place + 5:end])) if end <= len(data) else None


class Group:
    """Messages of a client up to one after which it waits, or may wait."""

    def __init__(self, data, found, prepared):
        """`prepared` has the SQL of the connection's prepared statements, and takes those of this group."""
        self.data = data
        # The length of the server's answer, when it has come.
        self.answer_bytes = None
        # The SQL of each statement that is executed, with the offset after it.
        self.statements = []
        bound = ""
        for message in found:
            if message.kind == "P":
                name, sql = (part.decode() for part in message.body.split(b"\0")[:2])
                prepared[name] = sql
            elif message.kind == "B":
                bound = prepared.get(message.body.split(b"\0")[1].decode(), "")
            elif message.kind == "E":
                self.statements.append((bound, message.end))
            elif message.kind == "Q":
                self.statements.append((message.body.rstrip(b"\0").decode(errors="replace"), message.end))
        self.begins = any(sql.startswith("BEGIN") for sql, _ in self.statements)
        self.asks = found[-1].kind in ASKING.decode()

    def end_of(self, condition):
        """The offset after the first statement whose SQL meets a condition; None if there is none."""
        return next((end for sql, end in self.statements if condition(sql)), None)

    def __len__(self):
        return len(self.data)

    def __str__(self):
        return "; ".join(sql for sql, _ in self.statements)


class Splitter:
    """Collects bytes and returns them in pieces that end with certain messages."""

    def __init__(self, ends):
        self._ends = ends.decode()
        self._data = bytearray()
        self._found = []

    def add(self, data):
        """Takes bytes. Returns the complete pieces, each with its messages."""
        self._data += data
        pieces = []
        while message := message_at(self._data, self._found[-1].end if self._found else 0):
            self._found.append(message)
            if message.kind in self._ends:
                pieces.append((bytes(self._data[:message.end]), self._found))
                del self._data[:message.end]
                self._found = []
        return pieces

    def rest(self):
        """The bytes that are not yet part of a piece. They are dropped here."""
        rest, self._data, self._found = bytes(self._data), bytearray(), []
        return rest
