"""Servers that lie, flood or are something else: a clear exception, from both drivers, and a connection that
is seen to be broken. The whole table is in Rust (`crates/kecoa/tests/hostile`); this is what Python makes
of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import kecoa
import kecoa.aio
from kecoa import errors
from tests.aio.fake import complete, message, ready

STARTED = (
    message(b"R", bytes(4)),
    message(b"S", b"client_encoding\0UTF8\0"),
    message(b"S", b"server_version\x0018.0\0"),
    message(b"S", b"DateStyle\0ISO, MDY\0"),
    message(b"S", b"standard_conforming_strings\0on\0"),
    message(b"K", struct.pack("!II", 1, 2)),
    ready(),
)
COLUMN = message(b"T", b"\0\1a\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0))
ROW = message(b"D", struct.pack("!hi", 1, 100) + b"x" * 100)
CANCELLED = message(b"E", b"SERROR\0C57014\0Mcanceling statement due to user request\0\0")


@dataclass
class Server:
    """Plays one connection's part: `greeting` at its start, then `answer` to the first statement."""

    greeting: bytes = b"".join(STARTED)
    answer: bytes = b""
    # Sent again and again until a cancel request comes.
    flood: bytes = b""
    cancelled: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def run(self, server: socket.socket) -> None:
        threads = []
        with contextlib.suppress(OSError):
            while not self.over.is_set():
                peer, _ = server.accept()
                threads.append(threading.Thread(target=self.serve, args=(peer,)))
                threads[-1].start()
        for thread in threads:
            thread.join()

    def serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            peer.settimeout(20)
            first = peer.recv(65536)
            if first[4:8] == struct.pack("!I", 80877102):
                self.cancelled.set()
                return
            peer.sendall(self.greeting)
            statements = 0
            while data := peer.recv(65536):
                if data.startswith(b"X"):
                    return
                statements += 1
                if statements > 1:
                    peer.sendall(complete("SELECT 0") + ready())
                    continue
                # By the extended protocol Parse and Bind are answered first.
                prefix = message(b"1") + message(b"2") if data.startswith(b"P") else b""
                peer.sendall(prefix + self.answer)
                if self.flood:
                    while not self.cancelled.is_set():
                        peer.sendall(self.flood)
                    peer.sendall(CANCELLED + ready())


@pytest.fixture
def serve() -> Iterator[Callable[[Server], str]]:
    """Starts servers; gives each one's DSN."""
    with contextlib.ExitStack() as stack:

        def start(server: Server) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=server.run, args=(listener,))
            thread.start()
            server.port = listener.getsockname()[1]

            def stop() -> None:
                server.over.set()
                server.cancelled.set()
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 5):
                    pass
                thread.join()

            stack.callback(stop)
            return f"host=127.0.0.1 port={server.port} user=u dbname=d sslmode=disable"

        yield start


def statement(dsn: str, **options: Any) -> tuple[kecoa.Error, bool]:
    """What `SELECT 1` raises, and whether the connection is closed."""
    conn = kecoa.connect(dsn, **options)
    try:
        conn.autocommit = True
        cur = conn.cursor()
        with pytest.raises(kecoa.Error) as caught:
            cur.execute("SELECT 1")
        return caught.value, bool(conn.closed)
    finally:
        conn.close()


def statement_aio(dsn: str, **options: Any) -> tuple[kecoa.Error, bool]:
    async def run() -> tuple[kecoa.Error, bool]:
        conn = await kecoa.aio.connect(dsn, autocommit=True, **options)
        try:
            with pytest.raises(kecoa.Error) as caught:
                await conn.execute("SELECT 1")
            return caught.value, bool(conn.closed)
        finally:
            await conn.close()

    return asyncio.run(asyncio.wait_for(run(), 30))


DRIVERS = pytest.mark.parametrize("drive", [statement, statement_aio], ids=["blocking", "asyncio"])

GREETINGS = {
    "HTTP": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "an HTTP server"),
    "SSH": (b"SSH-2.0-OpenSSH_9.9\r\n", "an SSH server"),
    "SMTP": (b"220 mail ESMTP\r\n", "an SMTP or FTP server"),
    "MySQL": (b"\x4a\0\0\0\x0a9.1.0\0\x08\0\0\0", "the greeting of a MySQL server"),
    "Redis": (b"-ERR unknown command\r\n", "a Redis or POP3 server"),
    "TLS": (b"\x15\x03\x03\0\x02\x02\x50", "it expects TLS from the first byte"),
    "2 GB": (b"R\x7f\xff\xff\xff", "too long: expected at most 65536 bytes, found 2147483647"),
    "iterations": (
        message(b"R", struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0"),
        "no password supplied",
    ),
}


@pytest.mark.parametrize(("greeting", "says"), GREETINGS.values(), ids=list(GREETINGS))
@DRIVERS
def test_greetings(serve: Callable[[Server], str], drive: Any, greeting: bytes, says: str) -> None:
    dsn = serve(Server(greeting=greeting))
    with pytest.raises(kecoa.OperationalError) as caught:
        drive(dsn)
    assert says in str(caught.value)


ANSWERS = {
    "unknown tag": (message(b"!"), "the unknown tag 0x21"),
    "2 GB": (COLUMN + b"D\x7f\xff\xff\xff", "too long: expected at most 1073741823 bytes, found 2147483647"),
    "negative": (b"C\xff\xff\xff\xff", "found 4294967295"),
    "NUL": (COLUMN + message(b"C", b"SEL\0ECT\0"), "malformed CommandComplete"),
    "wrong count": (COLUMN + message(b"D", b"\0\2\0\0\0\0\0\0\0\0"), "malformed DataRow"),
    "no description": (message(b"D", b"\0\0"), "found"),
    "ready at once": (ready(), "ReadyForQuery"),
    "huge notification": (b"A\x7f\0\0\0", "NotificationResponse message too long"),
    "COPY data": (message(b"d", b"x"), "CopyData"),
}


@pytest.mark.parametrize(("answer", "says"), ANSWERS.values(), ids=list(ANSWERS))
@DRIVERS
def test_answers(serve: Callable[[Server], str], drive: Any, answer: bytes, says: str) -> None:
    raised, closed = drive(serve(Server(answer=answer)))
    assert isinstance(raised, kecoa.OperationalError)
    assert "expected" in str(raised)
    assert says in str(raised)
    assert closed


@DRIVERS
def test_a_message_has_a_limit(serve: Callable[[Server], str], drive: Any) -> None:
    raised, closed = drive(serve(Server(answer=COLUMN + ROW)), max_message_size="64B")
    assert "DataRow message too long: expected at most 64 bytes, found 110" in str(raised)
    assert closed


@DRIVERS
def test_a_flood_is_stopped_at_the_limit(serve: Callable[[Server], str], drive: Any) -> None:
    """Rows without end: the rest is cancelled, and the connection stays usable."""
    server = Server(answer=COLUMN, flood=ROW * 100)
    raised, closed = drive(serve(server), max_result_size="1MB")
    assert type(raised) is errors.ProgramLimitExceeded
    assert isinstance(raised, kecoa.OperationalError)
    assert raised.pgcode is None
    assert "expected a result of at most 1048576 bytes (max_result_size)" in str(raised)
    assert "a cursor on the server" in str(raised)
    assert server.cancelled.is_set()
    assert not closed


def test_a_limit_of_time_ends_a_flood(serve: Callable[[Server], str]) -> None:
    notice = message(b"N", b"SNOTICE\0C00000\0Mon and on\0\0")
    server = Server(flood=notice * 100)
    raised, closed = statement(serve(server), statement_timeout=0.2)
    assert type(raised) is errors.QueryCanceled
    assert "limit of 200ms: it was cancelled" in str(raised)
    assert not closed


@pytest.mark.parametrize("value", ["10mb", "-1", "1.5GB", "much"])
def test_wrong_limits_are_refused(value: str) -> None:
    with pytest.raises(kecoa.Error, match="kB, MB, GB"):
        kecoa.connect("host=127.0.0.1 port=1", max_result_size=value)


SERIES = "SELECT repeat('x', 1000) FROM generate_series(1, %s)"


def test_results_of_a_live_server(connect: Callable[..., Any]) -> None:
    conn = connect(max_result_size="100kB")
    cur = conn.cursor()
    with pytest.raises(errors.ProgramLimitExceeded, match="102400 bytes"):
        cur.execute(SERIES, (100_000,))
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR
    conn.rollback()
    with pytest.raises(errors.ProgramLimitExceeded):
        cur.execute(SERIES, (200,), binding="server")
    conn.rollback()
    # The whole may be larger than what is held at a time.
    with conn.cursor("pieces") as named:
        named.itersize = 50
        named.execute(SERIES, (300,))
        assert sum(1 for _ in named) == 300
    with pytest.raises(errors.ProgramLimitExceeded):
        _fetch_all(conn)
    conn.rollback()
    assert sum(1 for _ in cur.stream(SERIES, (300,), size=50)) == 300
    conn.rollback()
    with open("/dev/null", "w") as sink:
        cur.copy_expert("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 300)) TO STDOUT", sink)
    assert cur.rowcount == 300


def _fetch_all(conn: Any) -> None:
    """All rows of a cursor on the server in one FETCH."""
    named = conn.cursor("whole")
    named.execute(SERIES, (300,))
    named.fetchall()


def test_results_of_a_live_server_with_asyncio(dsn: str) -> None:
    async def run() -> None:
        async with await kecoa.aio.connect(dsn, autocommit=True, max_result_size="100kB") as conn:
            with pytest.raises(errors.ProgramLimitExceeded):
                await conn.execute(SERIES, (100_000,))
            cur = await conn.execute(SERIES, (50,))
            assert len(await cur.fetchall()) == 50
            # Row by row nothing is held.
            count = 0
            async with conn.transaction():
                async for _ in conn.cursor().stream(SERIES, (300,)):
                    count += 1
            assert count == 300

    asyncio.run(asyncio.wait_for(run(), 60))
