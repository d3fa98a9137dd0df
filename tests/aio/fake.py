"""A server that does what a test says: just enough of the protocol, written by hand."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable


def message(tag: bytes, body: bytes = b"") -> bytes:
    """A message."""
    return tag + struct.pack("!I", len(body) + 4) + body


def ready(status: bytes = b"I") -> bytes:
    """ReadyForQuery."""
    return message(b"Z", status)


def complete(tag: str) -> bytes:
    """CommandComplete."""
    return message(b"C", tag.encode() + b"\0")


def error(sqlstate: str, text: str = "scripted", severity: str = "ERROR") -> bytes:
    """ErrorResponse."""
    fields = {"S": severity, "V": severity, "C": sqlstate, "M": text}
    return message(b"E", b"".join(k.encode() + v.encode() + b"\0" for k, v in fields.items()) + b"\0")


class Peer:
    """One client, after its start-up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        # The steps of the last request, by their tags.
        self.steps: list[bytes] = []

    async def receive(self) -> tuple[bytes, bytes]:
        """The next message."""
        head = await self.reader.readexactly(5)
        (length,) = struct.unpack("!I", head[1:])
        return head[:1], await self.reader.readexactly(length - 4)

    async def statement(self) -> bytes:
        """The text of the next statement, read to the end of its request."""
        sql = b""
        self.steps = []
        while True:
            tag, body = await self.receive()
            self.steps.append(tag)
            if tag == b"Q":
                return body.rstrip(b"\0")
            if tag == b"P":
                part = body.split(b"\0")[1]
                sql = sql + b";" + part if sql else part
            if tag == b"S":
                return sql

    def answer(self, tag: str, status: bytes = b"I") -> None:
        """Say that the last statement is done."""
        replies = {b"P": message(b"1"), b"B": message(b"2"), b"D": message(b"n"), b"E": complete(tag)}
        self.send(*[replies[step] for step in self.steps if step in replies])
        if self.steps == [b"Q"]:
            self.send(complete(tag))
        self.send(ready(status))

    def send(self, *messages: bytes) -> None:
        """Send."""
        self.writer.write(b"".join(messages))


Script = Callable[[Peer], Awaitable[None]]


class FakeServer:
    """Plays `script` to each client; counts clients and cancel requests."""

    def __init__(self, script: Script, *, accept: bool = True) -> None:
        self.script = script
        self.accept = accept
        self.clients = 0
        self.cancels = 0
        self.open = 0
        self.dsn = ""
        self._serving: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self.open += 1
        self._serving.add(asyncio.current_task())
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                (length,) = struct.unpack("!I", await reader.readexactly(4))
                body = await reader.readexactly(length - 4)
                if body[:4] == struct.pack("!I", 80877102):
                    self.cancels += 1
                    return
                self.clients += 1
                if not self.accept:
                    await reader.read()
                    return
                peer = Peer(reader, writer)
                peer.send(message(b"R", struct.pack("!I", 0)))
                for name, value in (
                    ("server_version", "18.0"),
                    ("client_encoding", "UTF8"),
                    ("DateStyle", "ISO, MDY"),
                    ("standard_conforming_strings", "on"),
                ):
                    peer.send(message(b"S", f"{name}\0{value}\0".encode()))
                peer.send(message(b"K", struct.pack("!II", 42, 4711)), ready())
                await self.script(peer)
                await reader.read()
        finally:
            self.open -= 1
            self._serving.discard(asyncio.current_task())
            writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[FakeServer]:
        """Listen."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.dsn = f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable"
        try:
            yield self
        finally:
            server.close()
            left = [task for task in self._serving if task is not None]
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)
