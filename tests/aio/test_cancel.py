"""Tasks that are cancelled, and time limits: the statement ends, the connection stays usable."""

from __future__ import annotations

import asyncio
import sys

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions
from tests.aio.fake import FakeServer
from tests.aio.loops import looped, on_both_loops, until
from tests.reasons import skip_if


async def one(conn):
    cur = await conn.execute("SELECT 1")
    return await cur.fetchone()


@on_both_loops
async def test_a_cancelled_task_cancels_its_statement(connected):
    async with connected() as conn, connected() as watch:
        pid = conn.info.backend_pid
        for _ in range(5):
            task = asyncio.ensure_future(conn.execute("SELECT pg_sleep(60)"))
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await one(conn) == (1,)

        async def idle():
            cur = await watch.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (pid,))
            return await cur.fetchone() == ("idle",)

        await until(idle, "the session is idle")
        assert conn.info.backend_pid == pid


@looped
async def test_inside_a_transaction_the_transaction_has_failed(connected):
    async with connected(autocommit=False) as conn:
        await conn.execute("SELECT 1")
        task = asyncio.ensure_future(conn.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(kecoa.errors.InFailedSqlTransaction):
            await conn.execute("SELECT 1")
        await conn.rollback()
        assert await one(conn) == (1,)


@looped
async def test_a_block_that_is_cancelled_rolls_back(dsn, connected):
    async with connected() as watch:
        await watch.execute("DROP TABLE IF EXISTS aio_cancelled; CREATE TABLE aio_cancelled (n int)")

        async def work(conn):
            async with conn.transaction():
                await conn.execute("INSERT INTO aio_cancelled VALUES (1)")
                await conn.execute("SELECT pg_sleep(60)")

        async with connected() as conn:
            task = asyncio.ensure_future(work(conn))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
            cur = await conn.execute("SELECT count(*) FROM aio_cancelled")
            assert await cur.fetchone() == (0,)
        await watch.execute("DROP TABLE aio_cancelled")


@on_both_loops
async def test_a_statements_time_limit(connected):
    async with connected() as conn:
        cur = conn.cursor()
        with pytest.raises(asyncio.TimeoutError, match=r"not over after 0\.05 s"):
            await cur.execute("SELECT pg_sleep(60)", timeout=0.05)
        await cur.execute("SELECT 1", timeout=30)
        assert await cur.fetchone() == (1,)
        with pytest.raises(asyncio.TimeoutError):
            await cur.executemany("SELECT pg_sleep(%s)", [(0,), (60,)], timeout=0.05)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(conn.execute("SELECT pg_sleep(60)"), 0.05)
        assert await one(conn) == (1,)


@skip_if(sys.version_info < (3, 11), "python-3.11")
@looped
async def test_asyncio_timeout(connected):
    async with connected() as conn:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await conn.execute("SELECT pg_sleep(60)")
        assert await one(conn) == (1,)


@looped
async def test_one_that_waits_for_its_turn_is_cancelled_without_harm(connected):
    async with connected() as conn:
        first = asyncio.ensure_future(conn.execute("SELECT pg_sleep(0.1), 'first'"))
        second = asyncio.ensure_future(conn.execute("SELECT 'second'"))
        third = asyncio.ensure_future(conn.execute("SELECT 'third'"))
        await asyncio.sleep(0.02)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert (await (await first).fetchone())[1] == "first"
        assert await (await third).fetchone() == ("third",)


@looped
async def test_one_that_is_cancelled_in_the_moment_of_its_turn(connected):
    async with connected() as conn:
        first = asyncio.ensure_future(conn.execute("SELECT 'first'"))
        second = asyncio.ensure_future(conn.execute("SELECT 'second'"))
        third = asyncio.ensure_future(conn.execute("SELECT 'third'"))
        await asyncio.sleep(0)
        first.add_done_callback(lambda _: second.cancel())
        with pytest.raises(asyncio.CancelledError):
            await second
        assert await (await third).fetchone() == ("third",)


@looped
async def test_many_tasks_cancelled_at_any_moment(connected):
    """Whenever it strikes, who comes after gets answers to his own questions."""
    async with connected() as conn:

        async def ask(number):
            cur = await conn.execute("SELECT %s, pg_sleep(0.002)", (number,))
            assert (await cur.fetchone())[0] == number

        for number in range(60):
            task = asyncio.ensure_future(ask(number))
            await asyncio.sleep(number % 13 * 0.0004)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled() or task.exception() is None
            await ask(-number)


@looped
async def test_cancel_is_for_everybody(connected):
    async with connected() as conn:
        running = asyncio.ensure_future(conn.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.05)
        await conn.cancel()
        with pytest.raises(extensions.QueryCanceledError):
            await running
        await conn.cancel()
        assert await one(conn) == (1,)


@looped
async def test_a_server_that_does_not_end_a_cancelled_statement():
    """The connection is closed after a grace time, and says so."""

    async def script(peer):
        await peer.statement()

    async with FakeServer(script).running() as server:
        conn = await kecoa.aio.connect(server.dsn, autocommit=True)
        conn._grace = 0.1
        task = asyncio.ensure_future(conn.execute("SELECT 1"))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not conn.closed
        with pytest.raises(kecoa.OperationalError, match=r"did not end a cancelled statement within 0\.1 s"):
            await conn.execute("SELECT 2")
        assert conn.broken
        assert server.cancels == 1


@looped
async def test_nobody_is_served_before_the_cancelled_statement_is_over():
    gate = asyncio.Event()
    seen = []

    async def script(peer):
        seen.append(await peer.statement())
        await gate.wait()
        peer.answer("SELECT 0")
        seen.append(await peer.statement())
        peer.answer("SELECT 0")

    async with FakeServer(script).running() as server:
        conn = await kecoa.aio.connect(server.dsn, autocommit=True)
        task = asyncio.ensure_future(conn.execute("first"))
        await until(lambda: seen, "the first statement arrives")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.cancels == 1, "the server is asked to cancel")
        following = asyncio.ensure_future(conn.execute("second"))
        await asyncio.sleep(0.05)
        assert seen == [b"first"]
        gate.set()
        await following
        assert seen == [b"first", b"second"]
        await conn.close()


@looped
async def test_the_end_of_the_loop_while_a_statement_runs(dsn, connected):
    """asyncio.run cancels all tasks at its end: nothing hangs, the statement is cancelled."""
    pids = []

    def run():
        async def main():
            conn = await kecoa.aio.connect(dsn, autocommit=True)
            pids.append(conn.info.backend_pid)
            task = asyncio.ensure_future(conn.execute("SELECT pg_sleep(60)"))
            await asyncio.sleep(0.05)
            task.add_done_callback(lambda _: conn._link.close())

        asyncio.run(main())

    await asyncio.get_running_loop().run_in_executor(None, run)
    async with connected() as watch:

        async def gone():
            cur = await watch.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pids)
            return await cur.fetchone() == (0,)

        await until(gone, "the session is over")
