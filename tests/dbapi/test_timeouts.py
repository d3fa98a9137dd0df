"""Limits on the time of statements: the server is asked to cancel, and the connection stays usable."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import kecoa
from kecoa import errors

SLEEP = "SELECT pg_sleep(30)"


def test_a_call_has_a_limit_of_its_own(conn: Any) -> None:
    cur = conn.cursor()
    with pytest.raises(errors.QueryCanceled, match=r"limit of 200ms: it was cancelled") as caught:
        cur.execute(SLEEP, timeout=0.2)
    assert caught.value.pgcode == "57014"
    assert caught.value.diag.sqlstate == "57014"
    assert isinstance(caught.value, kecoa.OperationalError)
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR
    conn.rollback()
    cur.execute("SELECT 1", timeout=30)
    assert cur.fetchone() == (1,)


def test_by_server_binding(conn: Any) -> None:
    cur = conn.cursor()
    with pytest.raises(errors.QueryCanceled, match="limit of 100ms"):
        cur.execute("SELECT pg_sleep(%s)", (30,), binding="server", timeout=0.1)
    conn.rollback()
    cur.execute("SELECT %s", (5,), binding="server")
    assert cur.fetchone() == (5,)


def test_a_connection_has_a_limit_for_all_its_statements(connect: Callable[..., Any]) -> None:
    conn = connect(statement_timeout=0.2)
    assert conn.statement_timeout == 0.2
    conn.autocommit = True
    cur = conn.cursor()
    with pytest.raises(errors.QueryCanceled, match="limit of 200ms"):
        cur.execute(SLEEP)
    with pytest.raises(errors.QueryCanceled):
        cur.callproc("pg_sleep", (30,))
    with pytest.raises(errors.QueryCanceled):
        cur.executemany("SELECT pg_sleep(%s)", [(0,), (30,), (30,)])
    cur.execute("SELECT pg_sleep(0.5)", timeout=30)
    conn.statement_timeout = None
    assert conn.statement_timeout is None
    cur.execute("SELECT pg_sleep(0.5)")


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e300])
def test_limits_are_above_zero(conn: Any, value: float) -> None:
    with pytest.raises(ValueError, match="above 0 seconds"):
        conn.statement_timeout = value
    with pytest.raises(ValueError, match="above 0 seconds"):
        conn.cursor().execute("SELECT 1", timeout=value)


@pytest.mark.parametrize("answers", [b"", b"R\x00\x00\x00\x08\x00\x00\x00\x00"], ids=["nothing", "half"])
def test_connect_timeout_holds_for_the_whole_handshake(answers: bytes) -> None:
    """A server that accepts, says too little and never goes on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(answers)
                done.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        begun = time.monotonic()
        try:
            with pytest.raises(kecoa.OperationalError, match="timeout"):
                kecoa.connect(
                    host="127.0.0.1", port=server.getsockname()[1], sslmode="disable", user="u", dbname="d",
                    connect_timeout=2,
                )  # fmt: skip
        finally:
            done.set()
            thread.join()
        assert time.monotonic() - begun >= 1.9
