"""`kecoa.pool.Pool` with a real server: blocks, order, time limits, threads."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import kecoa
from kecoa import extensions
from kecoa.pool import Pool, PoolFull, PoolTimeout
from kecoa.pool._actions import REASONS
from tests.dbapi.pool.sessions import kill, scalar, until


def test_checks_out_and_takes_back(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=2, max_size=3)
    pool.wait()
    with pool.connection() as one, pool.connection() as two, pool.connection() as three:
        assert len({id(one), id(two), id(three)}) == 3
        assert pool.get_stats() == {
            "pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 0,
        }  # fmt: skip
    assert pool.get_stats()["pool_available"] == 3
    with pool.connection() as again:
        assert again in (one, two, three)
    assert repr(pool) == "<kecoa.pool.Pool 'pool' [3 of 3 free]>"
    assert pool.close()
    assert pool.closed
    assert all(conn.closed for conn in (one, two, three))


def test_a_block_commits_or_rolls_back(pool_of: Callable[..., Pool], conn: Any) -> None:
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS pool_blocks; CREATE TABLE pool_blocks (n int)")
    pool = pool_of(min_size=1)
    with pool.connection() as pooled:
        pooled.cursor().execute("INSERT INTO pool_blocks VALUES (1)")
    with pytest.raises(KeyError), pool.connection() as pooled:
        pooled.cursor().execute("INSERT INTO pool_blocks VALUES (2)")
        raise KeyError
    pooled = pool.getconn()
    pooled.cursor().execute("INSERT INTO pool_blocks VALUES (3)")
    pool.putconn(pooled)
    assert pooled.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE
    with pool.connection() as pooled:
        pooled.close()
    with pool.connection() as pooled:
        assert scalar(pooled, "SELECT array_agg(n) FROM pool_blocks") == [1]
    cur.execute("DROP TABLE pool_blocks")


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_block_that_keeps_an_error_to_itself_does_not_end_in_silence(
    autocommit: bool, pool_of: Callable[..., Pool], conn: Any
) -> None:
    """COMMIT would be answered by ROLLBACK, which looks like success."""
    pool = pool_of(min_size=1)
    with conn, conn.cursor() as cur:
        cur.execute("DROP TABLE IF EXISTS kept; CREATE TABLE kept (i int PRIMARY KEY)")
    with (
        pytest.raises(kecoa.errors.InFailedSqlTransaction, match="nothing of it is committed"),
        pool.connection() as one,
    ):
        one.autocommit = autocommit
        with one.cursor() as cur:
            cur.execute("BEGIN; INSERT INTO kept VALUES (1)" if autocommit else "INSERT INTO kept VALUES (1)")
            with pytest.raises(kecoa.IntegrityError):
                cur.execute("INSERT INTO kept VALUES (1)")
    with pool.connection() as one, one.cursor() as cur:
        assert scalar(one, "SELECT count(*) FROM kept") == 0
        cur.execute("INSERT INTO kept VALUES (1)")
        with pytest.raises(kecoa.IntegrityError):
            cur.execute("INSERT INTO kept VALUES (1)")
        one.rollback()
        cur.execute("INSERT INTO kept VALUES (2)")
    with pool.connection() as one, one.cursor() as cur:
        cur.execute("INSERT INTO kept VALUES (3); SAVEPOINT s")
        with pytest.raises(kecoa.IntegrityError):
            cur.execute("INSERT INTO kept VALUES (3)")
        cur.execute("ROLLBACK TO SAVEPOINT s")
    assert scalar(conn, "SELECT sum(i) FROM kept") == 5
    conn.cursor().execute("DROP TABLE kept")
    conn.commit()


def test_a_transaction_begun_by_hand_ends_with_its_block(pool_of: Callable[..., Pool], conn: Any) -> None:
    """In autocommit mode, where `commit()` and `rollback()` of a connection leave it alone."""
    pool = pool_of(min_size=1, configure=lambda made: setattr(made, "autocommit", True))
    conn.autocommit = True
    conn.cursor().execute("DROP TABLE IF EXISTS begun; CREATE TABLE begun (i int)")
    with pool.connection() as one, one.cursor() as cur:
        cur.execute("BEGIN")
        cur.execute("INSERT INTO begun VALUES (1)")
    with pytest.raises(KeyError), pool.connection() as one, one.cursor() as cur:
        cur.execute("BEGIN")
        cur.execute("INSERT INTO begun VALUES (2)")
        raise KeyError
    with pytest.raises(kecoa.errors.InFailedSqlTransaction), pool.connection() as one, one.cursor() as cur:
        cur.execute("BEGIN")
        with pytest.raises(kecoa.DataError):
            cur.execute("SELECT 1/0")
    one = pool.getconn()
    one.cursor().execute("BEGIN; INSERT INTO begun VALUES (3)")
    pool.putconn(one)
    assert scalar(conn, "SELECT array_agg(i) FROM begun") == [1]
    assert pool.stats()["opened"] == 1
    conn.cursor().execute("DROP TABLE begun")


def test_waiting_threads_are_served_in_order(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1)
    order: list[int] = []
    first = pool.getconn()

    def work(number: int) -> None:
        with pool.connection():
            order.append(number)

    threads = []
    for number in range(20):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        until(lambda: pool.stats()["requests_waiting"] == number + 1, "the thread waits")  # noqa: B023
    pool.putconn(first)
    for thread in threads:
        thread.join()
    assert order == list(range(20))
    assert pool.stats()["waits"] >= 20


def test_fifty_threads_share_five_connections(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=0, max_size=5)
    lock = threading.Lock()
    pooled: set[int] = set()
    most = 0

    def work(_: int) -> int:
        nonlocal most
        total = 0
        for n in range(20):
            with pool.connection() as conn:
                with lock:
                    assert id(conn) not in pooled
                    pooled.add(id(conn))
                    most = max(most, len(pooled))
                total += scalar(conn, "SELECT %s::int", (n,))
                with lock:
                    pooled.remove(id(conn))
        return total

    with ThreadPoolExecutor(50) as threads:
        assert sum(threads.map(work, range(50))) == 50 * sum(range(20))
    assert most <= 5
    stats = pool.stats()
    assert stats["checkouts"] == 1000
    assert stats["pool_size"] == stats["pool_available"] <= 5
    assert sum(stats[f"closed_{reason}"] for reason in REASONS) == 0


def test_time_limits_say_who_holds_what(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1, max_waiting=1, timeout=0.05, name="orders")
    held = pool.getconn()
    with pytest.raises(PoolTimeout, match=r"orders: no connection came free in 0\.05 s") as caught:
        pool.getconn()
    text = str(caught.value)
    assert "size 1 of at most 1, 1 in use, 0 more wait" in text
    assert "test_use.py" in text
    assert "in test_time_limits_say_who_holds_what" in text
    got: list[Any] = []
    waiting = threading.Thread(target=lambda: got.append(pool.getconn(timeout=60)))
    waiting.start()
    until(lambda: pool.stats()["requests_waiting"] == 1, "a thread waits")
    with pytest.raises(PoolFull, match="1 callers wait for a connection already"):
        pool.getconn()
    with pytest.raises(PoolFull):
        pool.getconn(timeout=0)
    pool.putconn(held)
    waiting.join()
    assert got == [held]
    pool.putconn(held)
    assert pool.stats()["timeouts"] == 1
    assert pool.stats()["refused"] == 2
    assert isinstance(caught.value, kecoa.OperationalError)


def test_an_interrupt_ends_the_wait(dsn: str) -> None:
    """Ctrl-C, in a process of its own, while its main thread waits for a connection."""
    code = f"""
import os, signal, threading, kecoa.pool
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
pool = kecoa.pool.Pool({dsn!r}, min_size=1)
held = pool.getconn()
def interrupt():
    while not pool.stats()["requests_waiting"]: pass
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    pool.getconn(timeout=60)
except KeyboardInterrupt:
    print("interrupted", pool.stats()["requests_waiting"])
pool.putconn(held)
with pool.connection() as conn:
    print("usable")
# Neither the pool's threads nor its connections keep the interpreter.
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:2] == ["interrupted 0", "usable"], done.stderr
    assert done.stderr == ""
    assert done.returncode == 0


def test_nothing_is_locked_while_connecting(dsn: str) -> None:
    """While one attempt to connect hangs, the rest of the pool works."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        pool = Pool(dsn, min_size=1, max_size=2)
        pool.wait()
        pool.kwargs = {"host": "127.0.0.1", "port": silent.getsockname()[1]}
        with contextlib.closing(pool):
            first = pool.getconn()
            with pytest.raises(PoolTimeout, match="1 being opened"):
                pool.getconn(timeout=0.05)
            pool.putconn(first)
            with pool.connection() as conn:
                assert conn is first


def test_transactions_go_on_with_another_connection(pool_of: Callable[..., Pool], conn: Any) -> None:
    pool = pool_of(min_size=1)
    pids: list[int] = []

    def body(pooled: Any) -> int:
        pids.append(pooled.info.backend_pid)
        if len(pids) == 1:
            kill(conn, pids[0])
        return scalar(pooled, "SELECT 5")  # type: ignore[no-any-return]

    assert kecoa.run_transaction(pool, body) == 5
    assert len(set(pids)) == 2
    assert pool.stats()["pool_available"] == 1
