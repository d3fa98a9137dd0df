"""Pipelines and transaction blocks."""

from __future__ import annotations

import asyncio

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions
from tests.aio.fake import FakeServer
from tests.aio.loops import looped, on_both_loops


async def value(conn, sql):
    cur = await conn.execute(sql)
    return (await cur.fetchone())[0]


@on_both_loops
async def test_answers_come_after_sync(connected):
    async with connected() as conn:
        async with conn.pipeline() as pipeline:
            cursors = [await conn.execute("SELECT %s", (number,)) for number in range(10)]
            await pipeline.sync()
            assert [await cur.fetchone() for cur in cursors] == [(n,) for n in range(10)]
            # A fetch waits by itself.
            cur = await conn.execute("SELECT 'x'")
            assert await cur.fetchall() == [("x",)]
            last = await conn.execute("SELECT 'last'")
        assert await last.fetchone() == ("last",)
        with pytest.raises(kecoa.ProgrammingError, match="over"):
            await pipeline.sync()
        assert await value(conn, "SELECT 1") == 1


@looped
async def test_statements_do_not_wait_for_answers():
    """The server sees the third before it has answered the first."""

    async def script(peer):
        for _ in range(3):
            await peer.statement()
        for _ in range(3):
            peer.answer("SELECT 0")

    async with FakeServer(script).running() as server:
        conn = await kecoa.aio.connect(server.dsn, autocommit=True)
        async with conn.pipeline():
            for number in range(3):
                await conn.execute(f"statement {number}")
        await conn.close()


@looped
async def test_errors_in_autocommit_mode(connected):
    async with connected() as conn:
        with pytest.raises(kecoa.errors.DivisionByZero):
            async with conn.pipeline():
                await conn.execute("SELECT 1")
                await conn.execute("SELECT 1 / 0")
                after = await conn.execute("SELECT 3")
        assert await after.fetchone() == (3,)


@looped
async def test_errors_in_a_transaction(connected):
    async with connected(autocommit=False) as conn:
        with pytest.raises(kecoa.errors.DivisionByZero):
            async with conn.pipeline():
                before = await conn.execute("SELECT 1")
                await conn.execute("SELECT 1 / 0")
                after = await conn.execute("SELECT 3")
        assert await before.fetchone() == (1,)
        with pytest.raises(kecoa.errors.InFailedSqlTransaction):
            await after.fetchone()
        await conn.rollback()
        assert await value(conn, "SELECT 1") == 1


@looped
async def test_an_exception_of_the_program_wins(connected):
    async with connected() as conn:
        with pytest.raises(KeyError):
            async with conn.pipeline():
                await conn.execute("SELECT 1 / 0")
                raise KeyError
        assert await value(conn, "SELECT 1") == 1


@looped
async def test_commit_in_a_pipeline(connected):
    async with connected(autocommit=False) as conn:
        async with conn.pipeline():
            await conn.execute("CREATE TEMP TABLE t (n int)")
            await conn.execute("INSERT INTO t VALUES (1)")
            await conn.commit()
            await conn.execute("INSERT INTO t VALUES (2)")
            await conn.rollback()
        assert await value(conn, "SELECT count(*) FROM t") == 1


@looped
async def test_nested_pipelines_are_one(connected):
    async with connected() as conn:
        async with conn.pipeline():
            outer = await conn.execute("SELECT 1")
            async with conn.pipeline():
                inner = await conn.execute("SELECT 2")
            assert await inner.fetchone() == (2,)
        assert await outer.fetchone() == (1,)


@looped
async def test_a_pipeline_that_is_cancelled(connected):
    async with connected() as conn:

        async def work():
            async with conn.pipeline():
                await conn.execute("SELECT pg_sleep(60)")
                await conn.execute("SELECT 2")

        task = asyncio.ensure_future(work())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await value(conn, "SELECT 3") == 3


@looped
async def test_not_in_a_pipeline(connected):
    async with connected() as conn:
        async with conn.pipeline():
            with pytest.raises(kecoa.ProgrammingError, match="in a pipeline"):
                conn.cursor().copy("COPY (SELECT 1) TO STDOUT")
            with pytest.raises(kecoa.ProgrammingError, match="in a pipeline"):
                await conn.cursor().stream("SELECT 1").__anext__()


@on_both_loops
async def test_transaction_blocks(connected):
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (n int)")
        async with conn.transaction() as outer:
            assert outer.savepoint_name is None
            await conn.execute("INSERT INTO t VALUES (1)")
            assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_INTRANS
            with pytest.raises(kecoa.errors.DivisionByZero):
                async with conn.transaction() as inner:
                    assert inner.savepoint_name
                    await conn.execute("INSERT INTO t VALUES (2)")
                    await conn.execute("SELECT 1 / 0")
            async with conn.transaction("mine"):
                await conn.execute("INSERT INTO t VALUES (3)")
            for call in (conn.commit(), conn.rollback()):
                with pytest.raises(kecoa.ProgrammingError, match="transaction"):
                    await call
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
        with pytest.raises(KeyError):
            async with conn.transaction():
                await conn.execute("INSERT INTO t VALUES (4)")
                raise KeyError
        cur = await conn.execute("SELECT n FROM t ORDER BY n")
        assert await cur.fetchall() == [(1,), (3,)]
        async with conn.transaction():
            pass
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE


@looped
async def test_rolling_back_on_purpose(connected):
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (n int)")
        async with conn.transaction(force_rollback=True):
            await conn.execute("INSERT INTO t VALUES (1)")
        async with conn.transaction() as outer:
            await conn.execute("INSERT INTO t VALUES (2)")
            async with conn.transaction():
                await conn.execute("INSERT INTO t VALUES (3)")
                raise kecoa.aio.Rollback
            async with conn.transaction():
                raise kecoa.aio.Rollback(outer)
            raise AssertionError("not reached")
        assert await value(conn, "SELECT count(*) FROM t") == 0


@looped
async def test_blocks_on_a_connection_that_is_inside_a_transaction(connected):
    async with connected(autocommit=False) as conn:
        await conn.execute("CREATE TEMP TABLE t (n int)")
        async with conn.transaction() as block:
            assert block.savepoint_name
            await conn.execute("INSERT INTO t VALUES (1)")
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_INTRANS
        await conn.commit()
        async with conn.transaction():
            await conn.execute("INSERT INTO t VALUES (2)")
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
        with pytest.raises(kecoa.ProgrammingError, match="entered once"):
            async with block:
                pass


@looped
async def test_order_holds_when_a_preparation_went_stale(connected):
    async with connected() as conn, connected() as other:
        await conn.execute("DROP TABLE IF EXISTS stale")
        await conn.execute("CREATE TABLE stale (a int)")
        insert = "INSERT INTO stale VALUES (%s) RETURNING *"
        for _ in range(3):
            await conn.execute(insert, (1,))
        await other.execute("ALTER TABLE stale ADD COLUMN b int")
        async with conn.pipeline():
            inserted = await conn.execute(insert, (2,))
            deleted = await conn.execute("DELETE FROM stale WHERE a > %s", (0,))
        assert await inserted.fetchall() == [(2, None)]
        assert deleted.rowcount == 4
        assert await value(conn, "SELECT count(*) FROM stale") == 0
        await conn.execute("DROP TABLE stale")
