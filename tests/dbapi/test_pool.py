"""`kecoa.pool.Pool` with a real server: checkout, order, loss, leaks, forks."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import kecoa
from kecoa import extensions
from kecoa.pool import Pool, PoolClosed, PoolFull, PoolTimeout
from kecoa.pool._actions import REASONS


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that comes by itself, and fail when it does not."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError(f"never: {what}")


@pytest.fixture
def pool_of(dsn: str) -> Iterator[Callable[..., Pool]]:
    """Makes pools, and closes them."""
    made: list[Pool] = []

    def maker(*args: Any, **kwargs: Any) -> Pool:
        pool = Pool(dsn, *args, **kwargs)
        made.append(pool)
        return pool

    yield maker
    for pool in made:
        pool.close()


def scalar(conn: Any, sql: str, args: Any = None) -> Any:
    with conn.cursor() as cur:
        cur.execute(sql, args)
        return cur.fetchone()[0]


def kill(conn: Any, *pids: int) -> None:
    """End sessions, and wait until the server has none of them."""
    for pid in pids:
        assert scalar(conn, "SELECT pg_terminate_backend(%s, 30000)", (pid,))
    conn.commit()


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
    assert "test_pool.py" in text
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


def test_no_server() -> None:
    with Pool("host=127.0.0.1 port=1 user=u dbname=d", min_size=1) as pool:
        for _ in range(2):
            with pytest.raises(kecoa.OperationalError, match="refused"):
                pool.getconn()
        with pytest.raises(PoolTimeout, match=r"expected 1 connections.*the last attempt.*refused"):
            pool.wait(0.01)


def test_what_will_not_get_better_is_told(dsn: str) -> None:
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


def test_with_cockroachdbs_dialect(endpoint: Any) -> None:
    with Pool(endpoint.url, min_size=1, reset=Pool.discard_session, check_after=0) as pool:
        for _ in range(2):
            with pool.connection() as conn:
                assert conn.get_parameter_status("crdb_version")
                assert scalar(conn, "SHOW application_name") != "pooled"
                conn.cursor().execute("SET application_name TO 'pooled'")
        assert pool.stats()["opened"] == 1


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
