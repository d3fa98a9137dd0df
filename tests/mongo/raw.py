"""Commands as they are, with the sessions and numbers that a test wants: no driver adds anything."""

from __future__ import annotations

import itertools
import socket
import struct
import uuid
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import bson
from bson.binary import Binary

OP_MSG = 2013
HEADER = struct.Struct("<iiii")


def session() -> dict[str, Binary]:
    """A session's id."""
    return {"id": Binary(uuid.uuid4().bytes, 4)}


class Connection:
    """A connection to a gateway without authentication."""

    def __init__(self, url: str, timeout: float = 30) -> None:
        place = urlsplit(url)
        self.socket = socket.create_connection((place.hostname, place.port), timeout=timeout)
        self.numbers = itertools.count(1)

    def command(self, body: dict[str, Any], database: str = "bank") -> dict[str, Any]:
        """Send a command, and give the reply, whatever it says."""
        document = bson.encode(body | {"$db": database})
        message = struct.pack("<iB", 0, 0) + document
        self.socket.sendall(HEADER.pack(16 + len(message), next(self.numbers), 0, OP_MSG) + message)
        length = HEADER.unpack(self.read(16))[0]
        return bson.decode(self.read(length - 16)[5:])

    def read(self, count: int) -> bytes:
        """Read so many bytes."""
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError("the gateway closed the connection")
            data += more
        return data

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()
