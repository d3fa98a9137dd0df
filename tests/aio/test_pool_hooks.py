"""What hooks and attempts to connect do to a pool that raise, or do not end: one place each, and no more."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

import kecoa
import kecoa.aio
from kecoa.aio import AsyncConnectionPool, PoolTimeout
from tests.aio.fake import FakeServer
from tests.aio.loops import looped, on_both_loops, until


def made(dsn, **kwargs):
    """A pool in which an attempt is slow after 50 ms."""
    pool = AsyncConnectionPool(dsn, **{"timeout": 20, **kwargs})
    object.__setattr__(pool._settings, "slow_open_after", 0.05)
    return pool


async def scalar(conn):
    return (await (await conn.execute("SELECT 1")).fetchone())[0]


class Stuck:
    """Gets stuck in the first calls, until it is let go."""

    def __init__(self, times):
        self.times = times
        self.calls = 0
        self.gate = asyncio.Event()

    async def __call__(self, *_):
        self.calls += 1
        if self.calls <= self.times:
            await self.gate.wait()


@on_both_loops
async def test_an_attempt_that_does_not_end(dsn):
    stuck = Stuck(1)

    class Conn(kecoa.aio.AsyncConnection):
        @classmethod
        async def connect(cls, dsn, **kwargs):
            await stuck()
            return await super().connect(dsn, **kwargs)

    async with made(dsn, min_size=1, max_size=3, connection_class=Conn) as pool:
        for _ in range(3):
            async with pool.connection() as conn:
                assert await scalar(conn) == 1
        assert pool.stats()["pool_opening"] == 1
        stuck.gate.set()
        await until(lambda: not pool.stats()["pool_opening"], "the attempt ends")
        assert pool.stats()["pool_size"] == pool.stats()["pool_available"] == 2


@looped
async def test_a_server_that_says_nothing(dsn):
    """The attempt is on a thread; closing the pool does not wait for it."""

    async def script(peer):
        await peer.reader.read()

    async with FakeServer(script, accept=False).running() as server:
        pool = made(server.dsn, min_size=1, max_size=2)
        await pool.open()
        with pytest.raises(PoolTimeout, match="2 being opened"):
            await pool.getconn(timeout=0.3)
        await asyncio.wait_for(pool.close(), 20)
        await until(lambda: not server.open, "the attempts have been given up")


@looped
async def test_a_configure_that_does_not_end(dsn):
    stuck = Stuck(2)
    async with made(dsn, min_size=1, max_size=3, configure=stuck) as pool:
        async with pool.connection() as conn:
            assert await scalar(conn) == 1
        assert pool.stats()["pool_opening"] == 2


@on_both_loops
async def test_a_check_that_does_not_end(dsn):
    """It takes no longer than its caller would wait for a connection, and costs that one only."""
    stuck = Stuck(0)
    async with made(dsn, min_size=3, max_size=3, check=stuck) as pool:
        await pool.wait()
        stuck.times = stuck.calls + 1
        with pytest.raises(PoolTimeout):
            await pool.getconn(timeout=0.1)
        figures = pool.stats()
        assert (figures["closed_check"], figures["timeouts"], figures["requests_waiting"]) == (1, 1, 0)
        async with pool.connection() as conn:
            assert await scalar(conn) == 1
        await pool.wait()
        assert not pool._waiting


RAISED = [ValueError, asyncio.CancelledError, GeneratorExit]


@pytest.mark.parametrize("error", RAISED)
@pytest.mark.parametrize("hook", ["check", "configure", "reset"])
@on_both_loops
async def test_what_a_hook_raises_costs_nothing(dsn, hook, error, recwarn):
    """Whatever unwinds, the connection is closed and its place is free."""
    raising = False

    async def called(_):
        if raising:
            await asyncio.sleep(0)
            raise error("from the hook")

    async with made(dsn, min_size=0, max_size=1, **{hook: called}) as pool:
        if hook != "configure":
            async with pool.connection():
                pass
        for _ in range(3):
            raising = True

            async def use():
                async with pool.connection(0.3 if hook == "check" else 20):
                    pass

            task = asyncio.ensure_future(use())
            await asyncio.wait([task])
            outcome = None if task.cancelled() else task.exception()
            if hook == "configure":
                assert "from the hook" in str(outcome)
            raising = False
            async with pool.connection() as conn:
                assert await scalar(conn) == 1
            assert pool.stats()["pool_size"] == pool.stats()["pool_available"] == 1
            assert not pool.stats()["requests_waiting"]
            assert not pool._waiting
            if hook == "configure":
                async with pool.connection() as conn:
                    await conn.close()
                await until(lambda: not pool.stats()["pool_size"], "the closed connection is gone")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("hook", ["check", "configure", "reset"])
def test_a_hook_that_ends_the_event_loop(dsn, hook, error):
    loop = asyncio.new_event_loop()
    raising = False

    async def called(_):
        if raising:
            raise error("from the hook")

    async def use(pool):
        async with pool.connection(0.3 if hook == "check" else 20) as conn:
            return await scalar(conn)

    async def main():
        nonlocal raising
        pool = made(dsn, min_size=0, max_size=1, **{hook: called})
        await pool.open()
        if hook != "configure":
            await use(pool)
        raising = True
        return pool

    pool = loop.run_until_complete(main())
    task = loop.create_task(use(pool))
    with pytest.raises(error, match="from the hook"):
        loop.run_until_complete(task)
    raising = False
    # A hook that runs in a task of its own shows both.
    if not task.done():
        with contextlib.suppress(error, kecoa.Error):
            loop.run_until_complete(task)

    async def after():
        assert await use(pool) == 1
        assert pool.stats()["pool_size"] == pool.stats()["pool_available"] == 1
        assert not pool._waiting
        await pool.close()

    loop.run_until_complete(after())
    loop.close()


@looped
async def test_waiters_whose_connection_ends_in_the_moment_it_is_theirs(dsn):
    """They ask again, in their place, and leave nothing behind."""
    async with made(dsn, min_size=1, max_size=1) as pool:
        for _ in range(3):
            conn = await pool.getconn()
            waiting = [asyncio.ensure_future(pool.getconn()) for _ in range(3)]
            await asyncio.sleep(0)
            await pool.putconn(conn)
            # It is granted already, and its task has not run yet.
            conn._link.close("ended")
            for task in waiting:
                conn = await task
                assert await scalar(conn) == 1
                await pool.putconn(conn)
            assert not pool._waiting
            assert not pool.stats()["requests_waiting"]


@pytest.mark.parametrize("turns", range(6))
@on_both_loops
async def test_waiters_that_give_up_in_the_moment_they_are_served(dsn, turns):
    async with made(dsn, min_size=1, max_size=1) as pool:
        for end in ("cancelled", "closed", "late"):
            conn = await pool.getconn()
            waiting = asyncio.ensure_future(pool.getconn(timeout=0.05 if end == "late" else 20))
            await asyncio.sleep(0.04 if end == "late" else 0)
            for _ in range(turns):
                await asyncio.sleep(0)
            if end == "closed":
                await conn.close()
            returning = asyncio.ensure_future(pool.putconn(conn))
            for _ in range(turns):
                await asyncio.sleep(0)
            if end != "late":
                waiting.cancel()
            await returning
            try:
                await pool.putconn(await waiting)
            except (asyncio.CancelledError, PoolTimeout):
                pass
            async with pool.connection() as conn:
                assert await scalar(conn) == 1
            assert not pool._waiting
            assert pool.stats()["pool_available"] == 1


def test_the_word_for_what_ended_an_attempt():
    from kecoa.pool._common import as_error

    raised = SystemExit(3)
    wrapped = as_error("orders", raised)
    assert isinstance(wrapped, kecoa.OperationalError)
    assert str(wrapped) == "orders: opening a connection was ended by SystemExit: 3"
    assert wrapped.__cause__ is raised
    assert as_error("orders", error := KeyError("x")) is error
