"""Attempts to connect and hooks that do not end cost the pool one connection each, and no more."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import kecoa
import kecoa.pool
from kecoa.pool import Pool, _threads
from tests.dbapi.pool.sessions import scalar, until


@pytest.fixture
def pool_of(dsn: str) -> Iterator[Callable[..., Pool]]:
    """Makes pools in which an attempt is slow after 50 ms, and closes them."""
    made: list[Pool] = []

    def maker(**kwargs: Any) -> Pool:
        pool = Pool(dsn, open=False, **kwargs)
        object.__setattr__(pool._settings, "slow_open_after", 0.05)
        made.append(pool)
        pool.open()
        return pool

    yield maker
    for pool in made:
        pool.close()


class Stuck:
    """Gets stuck in the first calls, until it is let go."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.calls = 0
        self.gate = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, *_: Any) -> None:
        with self._lock:
            self.calls += 1
            stuck = self.calls <= self.times
        if stuck:
            self.gate.wait()


def test_an_attempt_that_does_not_end(pool_of: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck(1)

    def connect(*args: Any, **kwargs: Any) -> Any:
        stuck()
        return kecoa.connect(*args, **kwargs)

    monkeypatch.setattr(_threads, "connect", connect)
    pool = pool_of(min_size=1, max_size=3)
    for _ in range(3):
        with pool.connection() as conn:
            assert scalar(conn, "SELECT 1") == 1
    pool.wait()
    assert pool.stats()["pool_opening"] == 1
    stuck.gate.set()
    until(lambda: not pool.stats()["pool_opening"], "the attempt ends")
    assert pool.stats()["pool_size"] == pool.stats()["pool_available"] == 2


def test_a_configure_that_does_not_end(pool_of: Callable[..., Pool]) -> None:
    stuck = Stuck(2)
    pool = pool_of(min_size=1, max_size=3, configure=stuck)
    with pool.connection() as conn:
        assert scalar(conn, "SELECT 1") == 1
    assert pool.stats()["pool_opening"] == 2
    stuck.gate.set()


def test_more_stuck_attempts_than_threads_that_connect(pool_of: Callable[..., Pool]) -> None:
    stuck = Stuck(_threads._OPENERS)
    pool = pool_of(min_size=_threads._OPENERS, max_size=_threads._OPENERS + 1, configure=stuck)
    with pool.connection() as conn:
        assert scalar(conn, "SELECT 1") == 1
    stuck.gate.set()


def test_a_check_that_does_not_end(pool_of: Callable[..., Pool]) -> None:
    stuck = Stuck(0)
    pool = pool_of(min_size=1, max_size=2, check=stuck)
    with pool.connection():
        pass
    stuck.times = stuck.calls + 1
    held: list[Any] = []
    thread = threading.Thread(target=lambda: held.append(pool.getconn()))
    thread.start()
    until(lambda: stuck.calls == stuck.times, "the check begins")
    with pool.connection() as conn:
        assert scalar(conn, "SELECT 1") == 1
    stuck.gate.set()
    thread.join()
    pool.putconn(held.pop())
    assert pool.stats()["pool_available"] == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
@pytest.mark.parametrize("hook", ["check", "configure", "reset"])
def test_what_a_hook_raises_costs_nothing(
    pool_of: Callable[..., Pool], hook: str, error: type[BaseException]
) -> None:
    """Whatever unwinds, the connection is closed and its place is free."""
    raising = False

    def called(_: Any) -> None:
        if raising:
            raise error("from the hook")

    pool = pool_of(min_size=0, max_size=1, timeout=20, **{hook: called})
    if hook != "configure":
        with pool.connection():
            pass
    for _ in range(3):
        raising = True
        if hook == "reset" and not issubclass(error, Exception):
            with pytest.raises(error, match="from the hook"), pool.connection():
                pass
        elif hook == "reset":
            with pool.connection():
                pass
        elif hook == "check" and not issubclass(error, Exception):
            with pytest.raises(error, match="from the hook"):
                pool.getconn()
        elif hook == "check":
            with pytest.raises(kecoa.pool.PoolTimeout):
                pool.getconn(timeout=0.2)
        else:
            with pytest.raises(Exception, match="from the hook"):
                pool.getconn()
        raising = False
        with pool.connection() as conn:
            assert scalar(conn, "SELECT 1") == 1
        assert pool.stats()["pool_size"] == pool.stats()["pool_available"] == 1
        if hook == "configure":
            pool.resize(0, 1)
            with pool.connection() as conn:
                conn.close()
            until(lambda: not pool.stats()["pool_size"], "the closed connection is gone")


def test_a_connection_that_was_lost_in_its_block(pool_of: Callable[..., Pool], conn: Any) -> None:
    """What was done is rolled back, and the end of the block says so, whoever swallowed the first error."""
    pool = pool_of(min_size=1, max_size=1)
    for autocommit in (False, True):
        lost = pytest.raises(kecoa.OperationalError, match="lost inside its block")
        with contextlib.nullcontext() if autocommit else lost, pool.connection() as pooled:
            pooled.autocommit = autocommit
            pid = scalar(pooled, "SELECT pg_backend_pid()")
            assert scalar(conn, "SELECT pg_terminate_backend(%s, 30000)", (pid,))
            with contextlib.suppress(kecoa.Error):
                scalar(pooled, "SELECT 1")
            assert pooled.closed == 2
    with pool.connection() as pooled:
        assert scalar(pooled, "SELECT 1") == 1
