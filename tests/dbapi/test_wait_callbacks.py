"""Waiting that is left to the program: through a wait callback, or by polling."""

from __future__ import annotations

import select
import socket
import threading

import pytest

import kecoa
from kecoa import extensions, extras
from tests.dbapi.scripted_server import ScriptedServer, complete, message, ready


@pytest.fixture
def silent():
    """A server that takes connections and says nothing, and one that takes none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def full():
    """A server whose queue is full: connecting to it comes to no end."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def connect_by_callback(dsn):
    extensions.set_wait_callback(extras.wait_select)
    try:
        kecoa.connect(dsn)
    finally:
        extensions.set_wait_callback(None)


def connect_by_polling(dsn):
    conn = kecoa.connect(dsn, async_=1)
    while True:
        state = conn.poll()
        if state == extensions.POLL_OK:
            return
        read, write = ([conn], []) if state == extensions.POLL_READ else ([], [conn])
        select.select(read, write, [])


@pytest.mark.parametrize("server", ["silent", "full"])
@pytest.mark.parametrize("connect", [connect_by_callback, connect_by_polling])
def test_connect_timeout_holds_while_the_program_waits(request, server, connect):
    port = request.getfixturevalue(server)
    with pytest.raises(kecoa.OperationalError, match="timeout expired"):
        connect(f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable connect_timeout=1")


@pytest.mark.parametrize("callback", [True, False])
def test_a_result_that_is_too_large_is_cancelled_once(callback):
    column = message(b"T", b"\0\1a\0" + bytes(6) + b"\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0")
    rows = message(b"D", b"\0\1\0\0\4\0" + b"x" * 1024) * 3000
    answer = column + rows + complete("SELECT 3000") + ready()
    with ScriptedServer({"SELECT": answer}) as server:
        conn = kecoa.connect(server.dsn + " max_result_size=1MB")
        conn.autocommit = True
        extensions.set_wait_callback(extras.wait_select if callback else None)
        try:
            with pytest.raises(kecoa.OperationalError, match="max_result_size"):
                conn.cursor().execute("SELECT a")
        finally:
            extensions.set_wait_callback(None)
        # One that came whole before anybody looked is not cancelled at all.
        assert server.cancels <= 1
        conn.cursor().execute("SHOW x")


def test_threads_on_connections_that_are_polled_do_not_wait_for_each_other(dsn):
    """Whoever holds a connection and wants the interpreter, and the other way round: neither waits for ever."""
    conn = kecoa.connect(dsn, async_=1)
    extras.wait_select(conn)
    over = threading.Event()

    def look():
        while not over.is_set():
            conn.get_parameter_status("TimeZone")
            str(conn)

    threads = [threading.Thread(target=look, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    cur = conn.cursor()
    for _ in range(200):
        cur.execute("SELECT 1")
        extras.wait_select(conn)
    over.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    conn.close()
