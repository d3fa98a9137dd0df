"""The pool: checkout, order, limits, renewal."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions
from kecoa.aio import AsyncConnectionPool, PoolClosed, PoolTimeout
from tests.aio.fake import FakeServer
from tests.aio.loops import looped, on_both_loops, run, until


async def pid_of(conn):
    return conn.info.backend_pid


@on_both_loops
async def test_checks_out_and_takes_back(dsn):
    async with AsyncConnectionPool(dsn, min_size=2, max_size=3) as pool:
        await pool.wait()
        assert pool.get_stats()["pool_size"] == 2
        async with pool.connection() as one, pool.connection() as two, pool.connection() as three:
            assert len({id(one), id(two), id(three)}) == 3
            assert pool.get_stats() == {
                "pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 0,
            }  # fmt: skip
        assert pool.get_stats()["pool_available"] == 3
        async with pool.connection() as again:
            assert again in (one, two, three)
        assert "3 of 3 free" in repr(pool)
    assert pool.closed
    assert one.closed
    assert two.closed
    assert three.closed


@looped
async def test_a_block_commits_or_rolls_back(dsn, connected):
    async with connected() as watch, AsyncConnectionPool(dsn, min_size=1) as pool:
        await watch.execute("DROP TABLE IF EXISTS aio_pool; CREATE TABLE aio_pool (n int)")
        async with pool.connection() as conn:
            await conn.execute("INSERT INTO aio_pool VALUES (1)")
        with pytest.raises(KeyError):
            async with pool.connection() as conn:
                await conn.execute("INSERT INTO aio_pool VALUES (2)")
                raise KeyError
        conn = await pool.getconn()
        await conn.execute("INSERT INTO aio_pool VALUES (3)")
        await pool.putconn(conn)
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
        cur = await watch.execute("SELECT n FROM aio_pool")
        assert await cur.fetchall() == [(1,)]
        await watch.execute("DROP TABLE aio_pool")


@on_both_loops
async def test_waiting_tasks_are_served_in_order(dsn):
    async with AsyncConnectionPool(dsn, min_size=2) as pool:
        order = []

        async def work(number):
            async with pool.connection() as conn:
                order.append(number)
                await conn.execute("SELECT pg_sleep(0.001)")

        await asyncio.gather(*[work(number) for number in range(40)])
        assert order == list(range(40))


@looped
async def test_time_limits(dsn):
    async with AsyncConnectionPool(dsn, min_size=1, max_waiting=1, timeout=0.05) as pool:
        async with pool.connection() as conn:
            with pytest.raises(PoolTimeout, match=r"0\.05 s"):
                await pool.getconn()
            waiting = asyncio.ensure_future(pool.getconn(timeout=30))
            await asyncio.sleep(0)
            with pytest.raises(PoolTimeout, match="wait for a connection already"):
                await pool.getconn()
        assert await waiting is conn
        await pool.putconn(conn)


@looped
async def test_a_waiting_task_that_is_cancelled_takes_nothing(dsn):
    async with AsyncConnectionPool(dsn, min_size=1) as pool:
        conn = await pool.getconn()
        tasks = [asyncio.ensure_future(pool.getconn()) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        await pool.putconn(conn)
        # In the moment in which it got it.
        tasks[1].cancel()
        assert await tasks[2] is conn
        await pool.putconn(conn)
        assert pool.get_stats()["pool_available"] == 1


@looped
async def test_what_the_server_has_closed_is_not_handed_out(dsn, connected):
    async with connected() as killer, AsyncConnectionPool(dsn, min_size=2) as pool:
        await pool.wait()
        async with pool.connection() as one, pool.connection() as two:
            pids = [one.info.backend_pid, two.info.backend_pid]
        await killer.execute("SELECT pg_terminate_backend(p) FROM unnest(%s::int[]) p", (pids,))
        # The sessions end, and the event loop does not get to see it.
        time.sleep(0.1)
        for _ in range(4):
            async with pool.connection() as conn:
                assert conn.info.backend_pid not in pids
                await conn.execute("SELECT 1")


@looped
async def test_a_connection_lost_while_in_use_is_replaced(dsn, connected):
    async with connected() as killer, AsyncConnectionPool(dsn, min_size=1) as pool:
        with pytest.raises(kecoa.OperationalError):
            async with pool.connection() as conn:
                await killer.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
                await conn.execute("SELECT pg_sleep(60)")
        async with pool.connection() as conn:
            await conn.execute("SELECT 1")
        assert pool.get_stats()["pool_size"] == 1


@looped
async def test_old_and_idle_connections_are_closed(dsn):
    async with AsyncConnectionPool(dsn, min_size=1, max_lifetime=0.01) as pool:
        async with pool.connection() as old:
            await asyncio.sleep(0.05)
        assert old.closed
        async with pool.connection() as new:
            assert new is not old
    async with AsyncConnectionPool(dsn, min_size=1, max_size=3, max_idle=0.05) as pool:
        async with pool.connection(), pool.connection(), pool.connection():
            pass
        assert pool.get_stats()["pool_size"] == 3
        await until(lambda: pool.get_stats()["pool_size"] == 1, "idle connections are closed")


@looped
async def test_hooks(dsn):
    calls = []

    async def configure(conn):
        calls.append("configure")
        await conn.set_autocommit(True)
        await conn.execute("SET application_name TO 'pooled'")

    async def reset(conn):
        calls.append("reset")

    async def check(conn):
        calls.append("check")
        await AsyncConnectionPool.check_connection(conn)

    pool = AsyncConnectionPool(
        dsn,
        min_size=1,
        configure=configure,
        reset=reset,
        check=check,
        kwargs={"row_factory": kecoa.aio.scalar_row},
    )
    async with pool, pool.connection() as conn:
        cur = await conn.execute("SHOW application_name")
        assert await cur.fetchone() == "pooled"
    assert calls == ["configure", "check", "reset"]


@looped
async def test_a_check_that_fails_gets_another_connection(dsn):
    checked = []

    async def check(conn):
        checked.append(conn)
        if len(checked) == 1:
            raise kecoa.OperationalError("not this one")

    async with AsyncConnectionPool(dsn, min_size=1, check=check) as pool:
        async with pool.connection() as conn:
            assert conn is checked[1]
        assert checked[0].closed


@looped
async def test_hooks_that_leave_a_transaction_open(dsn):
    async def careless(conn):
        await conn.execute("SELECT 1")

    async with AsyncConnectionPool(dsn, min_size=1, configure=careless) as pool:
        with pytest.raises(kecoa.ProgrammingError, match="left a transaction open"):
            await pool.getconn()
    async with AsyncConnectionPool(dsn, min_size=1, reset=careless) as pool:
        with pytest.warns(RuntimeWarning, match="left a transaction open"):
            async with pool.connection() as conn:
                pass
        assert conn.closed


@looped
async def test_no_server():
    async with AsyncConnectionPool("host=127.0.0.1 port=1 user=u dbname=d", min_size=1) as pool:
        for _ in range(2):
            with pytest.raises(kecoa.OperationalError, match="refused"):
                await pool.getconn()
        with pytest.raises(PoolTimeout, match="expected 1 connections"):
            await pool.wait(0.01)


@looped
async def test_closing(dsn):
    pool = AsyncConnectionPool(dsn, min_size=1)
    with pytest.raises(PoolClosed, match="open it"):
        await pool.getconn()
    await pool.open(wait=True)
    conn = await pool.getconn()
    waiting = asyncio.ensure_future(pool.getconn())
    await asyncio.sleep(0)
    await pool.close()
    await pool.close()
    with pytest.raises(PoolClosed):
        await waiting
    assert not conn.closed
    await pool.putconn(conn)
    assert conn.closed
    with pytest.raises(kecoa.ProgrammingError, match="checked out"):
        await pool.putconn(conn)


@looped
async def test_closing_while_connections_are_made():
    async def never(peer):
        pass

    async with FakeServer(never, accept=False).running() as server:
        pool = AsyncConnectionPool(server.dsn, min_size=3)
        await pool.open()
        await until(lambda: server.open == 3, "three attempts are made")
        await pool.close()
        await until(lambda: server.open == 0, "nothing is left of them")


def test_belongs_to_one_event_loop(dsn):
    pool = AsyncConnectionPool(dsn, min_size=0, max_size=1)
    run(pool.open())
    with pytest.raises(RuntimeError, match="another event loop"):
        run(pool.getconn())
    with contextlib.suppress(RuntimeError):
        run(pool.close())


def test_sizes_must_make_sense(dsn):
    for sizes in ({"min_size": -1}, {"min_size": 2, "max_size": 1}, {"min_size": 0, "max_size": 0}):
        with pytest.raises(ValueError, match="min_size"):
            AsyncConnectionPool(dsn, **sizes)
