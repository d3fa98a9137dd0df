"""The pool of asyncio over time: leaks, drains, restarts, forks, figures. The rules: tests/dbapi."""

from __future__ import annotations

import asyncio
import gc
import os

import pytest

import kecoa
import kecoa.aio
from kecoa.aio import AsyncConnectionPool, PoolTimeout
from kecoa.pool import PoolFull
from tests.aio.loops import looped, on_both_loops, until


async def scalar(conn, sql, args=None):
    return (await (await conn.execute(sql, args)).fetchone())[0]


@on_both_loops
async def test_time_limits_say_who_holds_what(dsn):
    async with (
        AsyncConnectionPool(dsn, min_size=1, max_waiting=1, timeout=0.05, name="orders") as pool,
        pool.connection(),
    ):
        with pytest.raises(PoolTimeout, match=r"orders: no connection came free in 0\.05 s") as caught:
            await pool.getconn()
        assert "size 1 of at most 1, 1 in use, 0 more wait" in str(caught.value)
        assert "in test_time_limits_say_who_holds_what" in str(caught.value)
        waiting = asyncio.ensure_future(pool.getconn(timeout=60))
        await asyncio.sleep(0)
        with pytest.raises(PoolFull, match="1 tasks wait for a connection already"):
            await pool.getconn()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert pool.stats()["requests_waiting"] == 0


@on_both_loops
async def test_a_drain_replaces_all(dsn):
    async with AsyncConnectionPool(dsn, min_size=3) as pool:
        await pool.wait()
        async with pool.connection() as one, pool.connection() as two, pool.connection() as three:
            before = {conn.info.backend_pid for conn in (one, two, three)}
            assert not await pool.drain()
        assert await pool.drain(60)
        await pool.wait()
        async with pool.connection() as one, pool.connection() as two, pool.connection() as three:
            assert not before & {conn.info.backend_pid for conn in (one, two, three)}
        assert pool.stats()["pool_size"] == 3


@looped
async def test_nobody_notices_a_drain(dsn):
    async with AsyncConnectionPool(dsn, min_size=2, max_size=4) as pool:
        stop = False

        async def work():
            done = 0
            while not stop:
                async with pool.connection() as conn:
                    done += await scalar(conn, "SELECT 1")
            return done

        tasks = [asyncio.ensure_future(work()) for _ in range(6)]
        for _ in range(5):
            assert await pool.drain(60)
        stop = True
        assert all(done > 0 for done in await asyncio.gather(*tasks))
        assert pool.stats()["closed_drain"] >= 10
        assert pool.stats()["open_failures"] == 0


@looped
async def test_idle_connections_that_end_are_replaced_by_themselves(dsn, connected):
    pool = AsyncConnectionPool(dsn, min_size=2)
    object.__setattr__(pool._settings, "sweep_every", 0.05)
    async with connected() as killer, pool:
        async with pool.connection() as one, pool.connection() as two:
            pids = [one.info.backend_pid, two.info.backend_pid]
        await killer.execute("SELECT pg_terminate_backend(p, 30000) FROM unnest(%s::int[]) p", (pids,))
        await until(lambda: pool.stats()["opened"] == 4, "both are replaced")
        assert pool.stats()["closed_lost"] == 2


@looped
async def test_a_server_that_restarts_is_waited_for(own_server):
    async with AsyncConnectionPool(own_server.dsn, min_size=2, timeout=60) as pool:
        await pool.wait()
        await asyncio.to_thread(own_server.stop)

        async def work():
            async with pool.connection() as conn:
                return await scalar(conn, "SELECT 42")

        waiting = asyncio.ensure_future(work())
        await until(lambda: pool.stats()["open_failures"] > 0, "nothing listens")
        await asyncio.to_thread(own_server.start)
        assert await waiting == 42


@looped
async def test_transactions_go_on_with_another_connection(dsn, connected):
    async with connected() as killer, AsyncConnectionPool(dsn, min_size=1) as pool:
        pids = []

        async def body(conn):
            pids.append(conn.info.backend_pid)
            if len(pids) == 1:
                await killer.execute("SELECT pg_terminate_backend(%s, 30000)", (pids[0],))
            return await scalar(conn, "SELECT 5")

        assert await kecoa.aio.run_transaction(pool, body) == 5
        assert len(set(pids)) == 2
        assert pool.stats()["pool_available"] == 1


@on_both_loops
async def test_a_connection_that_is_dropped_is_named_and_replaced(dsn, caplog):
    async with AsyncConnectionPool(dsn, min_size=1) as pool:

        async def careless():
            await pool.getconn()

        await careless()
        with pytest.warns(ResourceWarning, match="was not closed"):
            gc.collect()
        async with pool.connection(timeout=60) as conn:
            assert await scalar(conn, "SELECT 1") == 1
        assert "dropped without being returned" in caplog.text
        assert "in careless" in caplog.text
        assert pool.stats()["leaks"] == pool.stats()["closed_leak"] == 1


@looped
async def test_a_connection_that_is_held_for_long_is_named(dsn, caplog):
    async with AsyncConnectionPool(dsn, min_size=1, leak_after=0.02) as pool:
        conn = await pool.getconn()
        await until(lambda: pool.stats()["leaks"] == 1, "a leak is found")
        assert "in test_a_connection_that_is_held_for_long_is_named" in caplog.text
        await pool.putconn(conn)
        async with pool.connection() as again:
            assert again is conn


@looped
async def test_a_session_that_is_discarded(dsn):
    async with AsyncConnectionPool(dsn, min_size=1, reset=AsyncConnectionPool.discard_session) as pool:
        for _ in range(3):
            async with pool.connection() as conn:
                for _ in range(3):
                    # Prepared from the second time on: that must not be lost.
                    assert await scalar(conn, "SELECT %s::int", (7,)) == 7
                assert await scalar(conn, "SHOW work_mem") != "77kB"
                await conn.execute("SET work_mem TO '77kB'")
                await conn.execute("CREATE TEMP TABLE pool_temp (n int)")
        async with pool.connection() as conn:
            assert await scalar(conn, "SELECT to_regclass('pool_temp')") is None


@looped
async def test_a_round_trip_after_some_idle_time(dsn):
    async with AsyncConnectionPool(dsn, min_size=1, check_after=1000) as pool:
        asked = []

        async def check(conn):
            asked.append(conn)

        pool._check = check
        for _ in range(2):
            async with pool.connection() as conn:
                assert asked == []
        for record in pool._core._conns.values():
            record.since -= 2000
        async with pool.connection() as conn:
            assert asked == [conn]


@looped
async def test_what_a_task_set_is_set_back(dsn):
    async with AsyncConnectionPool(dsn, min_size=1) as pool:
        async with pool.connection() as conn:
            await conn.set_autocommit(True)
        async with pool.connection() as conn:
            assert not conn.autocommit


@looped
async def test_closing_waits_for_what_is_in_use(dsn):
    pool = AsyncConnectionPool(dsn, min_size=1)
    await pool.open(wait=True)
    conn = await pool.getconn()
    assert not await pool.close()
    assert not await pool.close(0.01)
    closing = asyncio.ensure_future(pool.close(60))
    await asyncio.sleep(0)
    await pool.putconn(conn)
    assert await closing
    assert conn.closed


@looped
async def test_sizes_change(dsn):
    async with AsyncConnectionPool(dsn, min_size=1, max_size=4) as pool:
        pool.resize(3)
        await pool.wait()
        assert (pool.min_size, pool.max_size) == (3, 3)
        pool.resize(0, 1)
        assert pool.stats()["pool_size"] == 1
        with pytest.raises(ValueError, match="found 2, 1"):
            pool.resize(2, 1)


@looped
async def test_a_forked_child_begins_empty(dsn):
    async with AsyncConnectionPool(dsn, min_size=1) as pool:
        async with pool.connection() as pooled:
            child = os.fork()
            if child == 0:
                # What fails in here shows as its exit status.
                code = 1
                try:
                    assert pool.closed
                    assert pool.stats()["pool_size"] == 0
                    assert pool._foreign == [pooled]
                    code = 0
                finally:
                    os._exit(code)
            assert os.waitpid(child, 0)[1] == 0
            assert await scalar(pooled, "SELECT 1") == 1
        assert pool.stats()["opened"] == 1


@looped
async def test_figures(dsn):
    async with AsyncConnectionPool(dsn, min_size=1, name="orders") as pool:
        async with pool.connection():
            with pytest.raises(PoolTimeout):
                await pool.getconn(timeout=0.01)
        assert pool.stats()["timeouts"] == 1
        assert 'kecoa_pool_size{pool="orders"} 1' in pool.metrics().splitlines()


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"timeout": float("nan")}, "timeout of 0 or more and finite, found nan"),
        ({"max_lifetime": -1}, "max_lifetime above 0 and finite, found -1"),
        ({"max_waiting": -1}, "max_waiting of 0 or more, found -1"),
    ],
)
def test_limits_must_make_sense(limits, text):
    with pytest.raises(ValueError, match=text):
        AsyncConnectionPool("", **limits)
