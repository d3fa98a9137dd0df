"""Limits on the time of statements: the server is asked to cancel, and the connection stays usable."""

from __future__ import annotations

import io
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


def slow_to_commit(conn: Any) -> None:
    """Leaves a transaction open whose COMMIT takes long."""
    cur = conn.cursor()
    cur.execute("""
        CREATE TEMPORARY TABLE slow (a int);
        CREATE FUNCTION pg_temp.dawdle() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN PERFORM pg_sleep(30); RETURN NULL; END$$;
        CREATE CONSTRAINT TRIGGER dawdling AFTER INSERT ON slow
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.dawdle()
    """)
    conn.commit()
    cur.execute("INSERT INTO slow VALUES (1)")


def test_commit_has_a_limit(connect: Callable[..., Any]) -> None:
    conn = connect()
    slow_to_commit(conn)
    conn.statement_timeout = 0.1
    with pytest.raises(errors.QueryCanceled, match="limit of 100ms: it was cancelled"):
        conn.commit()
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_IDLE
    cur = conn.cursor()
    cur.execute("SELECT count(*) FROM slow")
    assert cur.fetchone() == (0,)


def test_cursors_on_the_server_have_a_limit(connect: Callable[..., Any]) -> None:
    conn = connect()
    named = conn.cursor("slow")
    named.execute("SELECT pg_sleep(30) FROM generate_series(1, 2)")
    conn.statement_timeout = 0.1
    with pytest.raises(errors.QueryCanceled, match="limit of 100ms"):
        named.fetchone()
    conn.rollback()


@pytest.mark.parametrize(
    "sql", ["COPY (SELECT pg_sleep(30)) TO STDOUT", "COPY pg_temp.slow FROM STDIN"], ids=["out", "in"]
)
def test_copy_has_a_limit(connect: Callable[..., Any], sql: str) -> None:
    conn = connect()
    cur = conn.cursor()
    cur.execute("CREATE TEMPORARY TABLE slow (a int)")
    conn.commit()

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"1\n" * 4096

        def write(self, data: Any) -> int:
            return len(data)

    conn.statement_timeout = 0.2
    with pytest.raises(errors.QueryCanceled, match="limit of 200ms"):
        cur.copy_expert(sql, Endless())
    conn.rollback()
    # Looking through what was undone may take longer on a busy machine.
    conn.statement_timeout = None
    cur.execute("SELECT count(*) FROM slow")
    assert cur.fetchone() == (0,)


def test_a_pipeline_has_a_limit(connect: Callable[..., Any]) -> None:
    conn = connect(statement_timeout=0.2)
    conn.autocommit = True
    with pytest.raises(errors.QueryCanceled, match="limit of 200ms"), conn.pipeline() as pipeline:
        first = pipeline.execute("SELECT 1")
        pipeline.execute(SLEEP)
        pipeline.execute(SLEEP)
    assert first.fetchone() == (1,)
    conn.cursor().execute("SELECT 1")


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
