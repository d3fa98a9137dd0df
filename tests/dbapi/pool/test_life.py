"""Renewal, closing, draining, resizing, leaks, forks, limits and figures."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import kecoa
from kecoa.pool import Pool, PoolClosed, PoolTimeout
from tests.dbapi.pool.sessions import scalar, until


def test_old_and_idle_connections_are_closed(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1, max_lifetime=0.01)
    with pool.connection() as old:
        time.sleep(0.05)
    assert old.closed
    pool = pool_of(min_size=1, max_size=3, max_idle=0.05)
    with pool.connection(), pool.connection(), pool.connection():
        pass
    until(lambda: pool.stats()["pool_size"] == 1, "idle connections are closed")
    assert pool.stats()["closed_idle"] == 2


def test_closing(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1, open=False)
    with pytest.raises(PoolClosed, match="open it"):
        pool.getconn()
    pool.open(wait=True)
    conn = pool.getconn()
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            pool.getconn()
        except PoolClosed as error:
            failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    until(lambda: pool.stats()["requests_waiting"] == 1, "a thread waits")
    assert not pool.close()
    assert not pool.close(0.01)
    waiting.join()
    assert len(failed) == 1
    assert not conn.closed
    back = threading.Timer(0.02, pool.putconn, [conn])
    back.start()
    assert pool.close(60)
    assert conn.closed
    with pytest.raises(kecoa.ProgrammingError, match="checked out"):
        pool.putconn(conn)
    with pool, pool.connection() as conn:
        assert scalar(conn, "SELECT 1") == 1


def test_a_drain_replaces_all(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=3)
    pool.wait()
    with pool.connection() as one, pool.connection() as two, pool.connection() as three:
        before = {conn.info.backend_pid for conn in (one, two, three)}
        assert not pool.drain()
    assert pool.drain(60)
    pool.wait()
    with pool.connection() as one, pool.connection() as two, pool.connection() as three:
        assert not before & {conn.info.backend_pid for conn in (one, two, three)}
    assert pool.stats()["pool_size"] == 3


def test_nobody_notices_a_drain(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=2, max_size=4)
    stop = threading.Event()

    def work(_: int) -> int:
        done = 0
        while not stop.is_set():
            with pool.connection() as conn:
                done += scalar(conn, "SELECT 1")
        return done

    with ThreadPoolExecutor(6) as threads:
        results = threads.map(work, range(6))
        try:
            for _ in range(5):
                assert pool.drain(60)
        finally:
            stop.set()
        assert all(done > 0 for done in results)
    assert pool.stats()["closed_drain"] >= 10
    assert pool.stats()["open_failures"] == 0


def test_a_connection_that_is_dropped_is_named_and_replaced(
    pool_of: Callable[..., Pool], caplog: pytest.LogCaptureFixture
) -> None:
    pool = pool_of(min_size=1, leak_frames=2)

    def careless() -> None:
        pool.getconn()

    careless()
    gc.collect()
    with pool.connection(timeout=60) as conn:
        assert scalar(conn, "SELECT 1") == 1
    assert "dropped without being returned" in caplog.text
    assert "in careless, called from" in caplog.text
    assert "in test_a_connection_that_is_dropped_is_named_and_replaced" in caplog.text
    assert pool.stats()["leaks"] == pool.stats()["closed_leak"] == 1


def test_a_connection_that_is_held_for_long_is_named(
    pool_of: Callable[..., Pool], caplog: pytest.LogCaptureFixture
) -> None:
    pool = pool_of(min_size=1, leak_after=0.02)
    conn = pool.getconn()
    until(lambda: pool.stats()["leaks"] == 1, "a leak is found")
    until(lambda: bool(caplog.records), "it is logged")
    (record,) = [record for record in caplog.records if "longer than leak_after" in record.message]
    assert record.name == "kecoa.pool"
    assert record.levelno == logging.WARNING
    assert "in test_a_connection_that_is_held_for_long_is_named" in record.message
    pool.putconn(conn)
    with pool.connection() as again:
        assert again is conn


def test_a_forked_child_begins_empty(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=2, max_size=3)
    pool.wait()
    with pool.connection() as pooled:
        pids = {pooled.info.backend_pid}
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            # What fails in here shows as its exit status.
            code = 1
            try:
                assert pool.stats()["pool_size"] == 0
                with pool.connection() as conn:
                    assert conn is not pooled
                    assert scalar(conn, "SELECT 1") == 1
                    os.write(write, str(conn.info.backend_pid).encode())
                pool.putconn(pooled)
                pool.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert int(os.read(read, 20)) not in pids
        os.close(read)
        os.close(write)
        assert scalar(pooled, "SELECT 1") == 1
    with pool.connection() as one, pool.connection() as two:
        assert scalar(one, "SELECT 1") + scalar(two, "SELECT 1") == 2
    assert pool.stats()["opened"] == 2


def test_threads_are_daemons_and_end_with_the_pool(dsn: str) -> None:
    pool = Pool(dsn, min_size=1, name="short-lived", open=False)
    assert not [t for t in threading.enumerate() if "short-lived" in t.name]
    pool.open(wait=True)
    threads = [t for t in threading.enumerate() if "short-lived" in t.name]
    assert threads
    assert all(thread.daemon for thread in threads)
    conn = pool.getconn()
    pool.close()
    pool.putconn(conn)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    pool = Pool(dsn, min_size=1, name="short-lived")
    pool.wait()
    threads = [t for t in threading.enumerate() if "short-lived" in t.name]
    del pool
    gc.collect()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_sizes_change(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1, max_size=4)
    pool.resize(3)
    pool.wait()
    assert (pool.min_size, pool.max_size) == (3, 3)
    pool.resize(0, 1)
    assert pool.stats()["pool_size"] == 1
    with pytest.raises(ValueError, match="found 2, 1"):
        pool.resize(2, 1)


@pytest.mark.parametrize(
    ("limits", "error", "text"),
    [
        (
            {"min_size": 3, "max_size": 2},
            ValueError,
            "0 <= min_size <= max_size and max_size > 0, found 3, 2",
        ),
        ({"min_size": -1}, ValueError, "found -1, -1"),
        ({"min_size": 0}, ValueError, "found 0, 0"),
        ({"min_size": 1.5}, TypeError, "min_size as an integer, found float"),
        ({"max_size": "9"}, TypeError, "max_size as an integer, found str"),
        ({"min_size": True}, TypeError, "min_size as an integer, found bool"),
        ({"max_waiting": -1}, ValueError, "max_waiting of 0 or more, found -1"),
        ({"timeout": -0.5}, ValueError, r"timeout of 0 or more and finite, found -0\.5"),
        ({"timeout": float("nan")}, ValueError, "timeout of 0 or more and finite, found nan"),
        ({"timeout": "30"}, TypeError, "timeout as a number of seconds, found str"),
        ({"max_idle": 0}, ValueError, "max_idle above 0 and finite, found 0"),
        ({"max_idle": float("nan")}, ValueError, "max_idle above 0 and finite, found nan"),
        ({"max_lifetime": -1}, ValueError, "max_lifetime above 0 and finite, found -1"),
        ({"max_lifetime": float("-inf")}, ValueError, "found -inf"),
        ({"lifetime_jitter": 1.5}, ValueError, r"lifetime_jitter from 0 to 1, found 1\.5"),
        ({"check_after": float("nan")}, ValueError, "check_after of 0 or more and finite, found nan"),
        ({"leak_after": 0}, ValueError, "leak_after above 0 and finite, found 0"),
        ({"leak_frames": -1}, ValueError, "leak_frames of 0 or more, found -1"),
    ],
)
def test_limits_must_make_sense(limits: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Pool("", open=False, **limits)


def test_waits_must_make_sense(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=0, max_size=1, timeout=None, max_idle=float("inf"), max_lifetime=None)
    for call in (pool.getconn, pool.wait, pool.drain, pool.close):
        for wrong in (-1, float("nan")):
            with pytest.raises(ValueError, match="expected timeout of 0 or more"):
                call(timeout=wrong)
    with pool.connection() as conn:
        assert scalar(conn, "SELECT 1") == 1


def test_figures(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1, name='a "b"\\c')
    with pool.connection(), pytest.raises(PoolTimeout):
        pool.getconn(timeout=0.01)
    stats = pool.stats()
    assert stats["opened"] == stats["checkouts"] == stats["pool_size"] == stats["timeouts"] == 1
    assert stats["wait_seconds_max"] >= 0.01
    lines = pool.metrics().splitlines()
    label = r'pool="a \"b\"\\c"'
    assert f"kecoa_pool_size{{{label}}} 1" in lines
    assert f"kecoa_pool_checkouts_total{{{label}}} 1" in lines
    assert "# TYPE kecoa_pool_timeouts_total counter" in lines
    assert f'kecoa_pool_closed_total{{{label},reason="lifetime"}} 0' in lines
    assert len([line for line in lines if not line.startswith("#")]) == len(stats)
