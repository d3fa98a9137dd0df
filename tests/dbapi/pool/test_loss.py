"""Connections and servers that end: what a pool replaces, and whom it makes wait."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import kecoa
from kecoa.pool import Pool, PoolTimeout
from tests.dbapi.pool.sessions import kill, scalar, until


def test_what_the_server_has_closed_is_not_handed_out(pool_of: Callable[..., Pool], conn: Any) -> None:
    pool = pool_of(min_size=3)
    pool.wait()
    with pool.connection() as one, pool.connection() as two, pool.connection() as three:
        pids = [pooled.info.backend_pid for pooled in (one, two, three)]
    kill(conn, *pids)
    for _ in range(4):
        with pool.connection() as pooled:
            assert pooled.info.backend_pid not in pids
            assert scalar(pooled, "SELECT 1") == 1
    until(lambda: pool.stats()["pool_size"] == 3, "the lost ones are replaced")


def test_a_connection_lost_while_in_use_is_replaced(pool_of: Callable[..., Pool], conn: Any) -> None:
    pool = pool_of(min_size=2)
    pool.wait()
    with pool.connection() as one, pool.connection() as other:
        idle = other.info.backend_pid
    with pytest.raises(kecoa.OperationalError), pool.connection() as one:
        kill(conn, one.info.backend_pid, *({idle} - {one.info.backend_pid}))
        scalar(one, "SELECT 1")
    # The loss had the other one looked at, which nobody asked for.
    until(lambda: pool.stats()["pool_size"] == 2 and pool.stats()["opened"] == 4, "both are replaced")
    assert pool.stats()["closed_broken"] == 1
    assert pool.stats()["closed_lost"] == 1


def test_idle_connections_that_end_are_replaced_by_themselves(dsn: str, conn: Any) -> None:
    pool = Pool(dsn, min_size=2)
    object.__setattr__(pool._settings, "sweep_every", 0.05)
    with contextlib.closing(pool):
        with pool.connection() as one, pool.connection() as two:
            pids = [one.info.backend_pid, two.info.backend_pid]
        kill(conn, *pids)
        until(lambda: pool.stats()["opened"] == 4, "both are replaced")
        assert pool.stats()["closed_lost"] == 2


def test_no_server(caplog: pytest.LogCaptureFixture) -> None:
    with Pool("host=127.0.0.1 port=1 user=u dbname=d", min_size=1) as pool:
        for _ in range(2):
            with pytest.raises(kecoa.OperationalError, match="refused"):
                pool.getconn()
        with pytest.raises(PoolTimeout, match=r"expected 1 connections.*the last attempt.*refused"):
            pool.wait(0.01)
    said = [record.getMessage() for record in caplog.records if record.name == "kecoa.pool"]
    assert said
    assert not [line for line in said if line != line.rstrip()]


def test_what_will_not_get_better_is_raised(dsn: str) -> None:
    with Pool(dsn, min_size=1, kwargs={"dbname": "no_such_database"}) as pool:
        with pytest.raises(kecoa.OperationalError, match="no_such_database") as caught:
            pool.getconn()
        assert not isinstance(caught.value, PoolTimeout)


def test_a_server_that_is_full_is_waited_for(dsn: str, conn: Any) -> None:
    """SQLSTATE 53300 is no reason to give up: a connection may come back, here or elsewhere."""
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP ROLE IF EXISTS pool_limited; CREATE ROLE pool_limited LOGIN CONNECTION LIMIT 1")
    with Pool(dsn, min_size=1, max_size=2, kwargs={"user": "pool_limited"}) as pool:
        pool.wait()
        first = pool.getconn()
        got: list[Any] = []
        waiting = threading.Thread(target=lambda: got.append(pool.getconn(timeout=60)))
        waiting.start()
        until(lambda: pool.stats()["open_failures"] > 0, "there is no second connection")
        with pytest.raises(PoolTimeout, match=r"the last attempt to connect failed.*too many connections"):
            pool.getconn(timeout=0.01)
        assert pool.stats()["requests_waiting"] == 1
        pool.putconn(first)
        waiting.join()
        assert got == [first]
        pool.putconn(first)
        kill(conn, first.info.backend_pid)
    until(lambda: scalar(conn, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pool_limited'") == 0,
          "its sessions end")  # fmt: skip
    cur.execute("DROP ROLE pool_limited")


def test_a_server_that_ends_idle_sessions_under_load(pool_of: Callable[..., Pool], conn: Any) -> None:
    """Sessions are ended by 57P01 while threads take and return; transactions are run by kecoa's retry."""
    pool = pool_of(min_size=4)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS pool_drained; CREATE TABLE pool_drained (n int)")
    stop = threading.Event()

    def work(number: int) -> int:
        done = 0
        while not stop.is_set():

            def body(pooled: Any) -> None:
                pooled.cursor().execute("INSERT INTO pool_drained VALUES (%s)", (number,))

            # An interrupted COMMIT is ambiguous, so that only sessions outside of one are ended below.
            kecoa.run_transaction(pool, body)
            done += 1
        return done

    with ThreadPoolExecutor(6) as threads:
        results = threads.map(work, range(6))
        try:
            pool.wait()
            ended = 0
            for _ in range(3000):
                # A session is kept from its COMMIT by a lock that is taken before it is ended.
                cur.execute("BEGIN; LOCK TABLE pool_drained IN EXCLUSIVE MODE")
                cur.execute(
                    "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database() AND state = 'active'"
                    " AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO pool_drained%'"
                )
                ended += cur.fetchone()[0]
                cur.execute("COMMIT")
                if ended >= 20:
                    break
        finally:
            stop.set()
        total = sum(results)
    assert ended >= 20
    assert scalar(conn, "SELECT count(*) FROM pool_drained") == total
    cur.execute("DROP TABLE pool_drained")


def test_a_server_that_restarts_is_waited_for(own_server: Any) -> None:
    with Pool(own_server.dsn, min_size=2, timeout=60) as pool:
        pool.wait()
        with pool.connection() as conn:
            scalar(conn, "SELECT 1")
        own_server.stop()
        got: list[int] = []

        def wait() -> None:
            with pool.connection() as conn:
                got.append(scalar(conn, "SELECT 42"))

        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: pool.stats()["open_failures"] > 0, "nothing listens")
        own_server.start()
        waiting.join()
        assert got == [42]
