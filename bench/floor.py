"""The floor under every driver: a raw socket that sends ready bytes and looks at no row.

`null` speaks the simple protocol (text), `nullbin` runs a prepared statement with binary results. The
distance of a driver to them is what the driver itself costs; the rest is the server and the kernel.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from functools import partial

import workloads

_READY = b"Z\0\0\0\5"


class Wire:
    """Just enough of wire protocol 3 to time it; trust authentication only."""

    def __init__(self, dsn: dict[str, str]) -> None:
        if dsn["host"].startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(f"{dsn['host']}/.s.PGSQL.{dsn['port']}")
        else:
            self.socket = socket.create_connection((dsn["host"], int(dsn["port"])))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(1 << 20)
        self._view = memoryview(self._buffer)
        pairs = {"user": dsn["user"], "database": dsn["dbname"]}
        body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in pairs.items()) + b"\0"
        self.socket.sendall(struct.pack("!II", len(body) + 8, 196608) + body)
        self.drain()

    def drain(self) -> None:
        """Read up to ReadyForQuery."""
        while True:
            n = self.receive()
            if n >= 6 and self._buffer[n - 6 : n - 1] == _READY:
                return

    def receive(self) -> int:
        """One read."""
        n = self.socket.recv_into(self._view)
        if n == 0:
            raise SystemExit("the floor driver was disconnected (it needs trust authentication)")
        return n

    def call(self, message: bytes) -> None:
        """One round trip."""
        self.socket.sendall(message)
        self.drain()

    def run(self, sql: str) -> None:
        """Run a batch; an error report ends the benchmark."""
        self.socket.sendall(query(sql))
        reply = b""
        while not (len(reply) >= 6 and reply[-6:-1] == _READY):
            n = self.receive()
            reply += self._buffer[:n]
        at = 0
        while at < len(reply):
            if reply[at : at + 1] == b"E":
                raise SystemExit(f"{sql[:60]!r}: {reply[at + 5 : at + 300]!r}")
            at += 1 + struct.unpack_from("!I", reply, at + 1)[0]

    def close(self) -> None:
        """Terminate."""
        self.socket.sendall(b"X\0\0\0\4")
        self.socket.close()


def message(tag: bytes, body: bytes) -> bytes:
    """A tagged frame."""
    return tag + struct.pack("!I", len(body) + 4) + body


def query(sql: str) -> bytes:
    """A Query message."""
    return message(b"Q", sql.encode() + b"\0")


def null(dsn: dict[str, str]) -> dict[str, Callable[[], object]]:
    """The simple protocol, text results."""
    wire = Wire(dsn)
    work: dict[str, Callable[[], object]] = {}
    for name, fetch in workloads.FETCH.items():
        work[name] = partial(wire.call, query(fetch.literal()))
    values = ",".join(["(10,11,10,'TESTTESTTEST',10.333,12341234,'123412341234')"] * len(workloads.BATCH))
    work["execute_values1k"] = partial(wire.call, query(workloads.INSERT_VALUES % values))

    text = workloads.COPY_TEXT.encode()
    head, body = query(workloads.COPY), message(b"d", text) + message(b"c", b"")

    def copy() -> None:
        wire.socket.sendall(head)
        wire.receive()
        wire.call(body)

    work["copy10k"] = copy
    read, debit, credit = workloads.TRANSFER
    steps = ["BEGIN", read.format(1), debit.format(1, 1), credit.format(1, 2), "COMMIT"]
    messages = [query(s) for s in steps]
    work["transfer"] = lambda: [wire.call(m) for m in messages]
    work["connect"] = lambda: Wire(dsn).close()
    return work


def nullbin(dsn: dict[str, str]) -> dict[str, Callable[[], object]]:
    """A statement prepared once, then Bind, Execute, Sync with binary results."""
    wire = Wire(dsn)
    work: dict[str, Callable[[], object]] = {}
    for name, fetch in workloads.FETCH.items():
        statement = name.encode()
        parse = message(b"P", statement + b"\0" + fetch.literal().encode() + b"\0\0\0")
        wire.call(parse + message(b"S", b""))
        bind = b"\0" + statement + b"\0" + struct.pack("!HHHH", 0, 0, 1, 1)
        run = message(b"B", bind) + message(b"E", b"\0\0\0\0\0") + message(b"S", b"")
        work[name] = partial(wire.call, run)
    return work
