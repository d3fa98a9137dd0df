"""`check`, `configure` and `reset`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import kecoa
from kecoa.pool import Pool
from tests.dbapi.pool.sessions import scalar


def test_hooks(pool_of: Callable[..., Pool]) -> None:
    calls: list[str] = []

    def configure(conn: Any) -> None:
        calls.append("configure")
        conn.autocommit = True
        conn.cursor().execute("SET application_name TO 'pooled'")

    def reset(conn: Any) -> None:
        calls.append("reset")

    def check(conn: Any) -> None:
        calls.append("check")
        Pool.check_connection(conn)

    pool = pool_of(min_size=1, configure=configure, reset=reset, check=check, kwargs={"cursor_factory": None})
    with pool.connection() as conn:
        assert scalar(conn, "SHOW application_name") == "pooled"
        conn.autocommit = False
    assert calls == ["configure", "check", "reset"]
    assert conn.autocommit


def test_a_check_that_fails_gets_another_connection(pool_of: Callable[..., Pool]) -> None:
    checked: list[Any] = []

    def check(conn: Any) -> None:
        checked.append(conn)
        if len(checked) == 1:
            raise kecoa.OperationalError("not this one")

    pool = pool_of(min_size=1, check=check)
    with pool.connection() as conn:
        assert conn is checked[1]
    assert checked[0].closed
    assert pool.stats()["checks_failed"] == 1


def test_a_round_trip_after_some_idle_time(pool_of: Callable[..., Pool], monkeypatch: Any) -> None:
    asked: list[Any] = []
    pool = pool_of(min_size=1, check_after=1000)
    monkeypatch.setattr(pool, "_check", asked.append)
    with pool.connection() as conn:
        pass
    with pool.connection():
        assert asked == []
    for record in pool._core._conns.values():
        record.since -= 2000
    with pool.connection() as conn:
        assert asked == [conn]


def test_hooks_that_leave_a_transaction_open(
    pool_of: Callable[..., Pool], caplog: pytest.LogCaptureFixture
) -> None:
    def careless(conn: Any) -> None:
        conn.cursor().execute("SELECT 1")

    with pytest.raises(kecoa.ProgrammingError, match="left a transaction open"):
        pool_of(min_size=1, configure=careless).getconn()
    with pool_of(min_size=1, reset=careless).connection() as conn:
        pass
    assert conn.closed
    assert "left a transaction open" in caplog.text


def test_a_session_that_is_discarded(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1, reset=Pool.discard_session, kwargs={"binding": "server"})
    for _ in range(3):
        with pool.connection() as conn:
            for _ in range(3):
                # Prepared from the second time on: that must not be lost.
                assert scalar(conn, "SELECT %s::int", (7,)) == 7
            assert scalar(conn, "SHOW work_mem") != "77kB"
            conn.cursor().execute("SET work_mem TO '77kB'; CREATE TEMP TABLE pool_temp (n int); LISTEN x")
    with pool.connection() as conn:
        assert scalar(conn, "SELECT to_regclass('pool_temp')") is None
        assert scalar(conn, "SELECT count(*) FROM pg_listening_channels()") == 0


def test_with_cockroachdbs_dialect(endpoint: Any) -> None:
    with Pool(endpoint.url, min_size=1, reset=Pool.discard_session, check_after=0) as pool:
        for _ in range(2):
            with pool.connection() as conn:
                assert conn.get_parameter_status("crdb_version")
                assert scalar(conn, "SHOW application_name") != "pooled"
                conn.cursor().execute("SET application_name TO 'pooled'")
        assert pool.stats()["opened"] == 1
