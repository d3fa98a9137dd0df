"""A task is cancelled at any of its waits, once or again and again: nothing is lost, stuck or left open.

Afterwards the connection is closed, or idle and usable; the pool has all its places; what was reported
committed is there, and nothing of what was not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions
from kecoa.aio import AsyncConnectionPool
from tests.aio.loops import on_both_loops
from tests.aio.steps import MOMENTS, cut

IDLE = extensions.TRANSACTION_STATUS_IDLE
INSERT = "INSERT INTO aio_cut VALUES (%s)"


async def transaction(conn):
    async with conn.transaction():
        await conn.execute(INSERT, (1,))
        await conn.execute(INSERT, (2,))


async def failing_transaction(conn):
    with contextlib.suppress(KeyError):
        async with conn.transaction():
            await conn.execute(INSERT, (8,))
            raise KeyError("the program's own")
    async with conn.transaction():
        await conn.execute(INSERT, (1,))
        await conn.execute(INSERT, (2,))


async def savepoints(conn):
    async with conn.transaction():
        await conn.execute(INSERT, (1,))
        with contextlib.suppress(KeyError):
            async with conn.transaction():
                await conn.execute(INSERT, (8,))
                raise KeyError("the program's own")
        async with conn.transaction("kept"):
            await conn.execute(INSERT, (2,))


async def savepoint_outside(conn):
    async with conn.transaction("named"):
        await conn.execute(INSERT, (1,))
        await conn.execute(INSERT, (2,))


async def stream(conn):
    async with conn.transaction():
        await conn.execute(INSERT, (1,))
        async for (number,) in conn.cursor().stream("SELECT generate_series(1, 5000)"):
            if number == 4000:
                break
        await conn.execute(INSERT, (2,))


async def copies(conn):
    async with conn.transaction():
        async with conn.cursor().copy("COPY aio_cut FROM STDIN") as copy:
            await copy.write_row((1,))
            await copy.write_row((2,))
        async with conn.cursor().copy("COPY (SELECT generate_series(1, 5000)) TO STDOUT") as copy:
            await copy.read()


async def pipeline(conn):
    async with conn.transaction(), conn.pipeline():
        await conn.execute(INSERT, (1,))
        await conn.execute("SELECT 3")
        await conn.execute(INSERT, (2,))


async def executemany(conn):
    await conn.cursor().executemany(INSERT, [(1,), ("2",)])


async def executemany_atomic(conn):
    await conn.cursor().executemany(INSERT, [(1,), ("2",)], atomic=True)


async def behind_a_closed_generator(conn):
    async def rows():
        async with conn.transaction():
            await conn.execute(INSERT, (8,))
            yield

    generator = rows()
    await anext(generator)
    await generator.aclose()
    await conn.set_autocommit(True)
    async with conn.transaction():
        await conn.execute(INSERT, (1,))
        await conn.execute(INSERT, (2,))


async def retried(conn):
    async def body(conn):
        await conn.execute(INSERT, (1,))
        await conn.execute(INSERT, (2,))

    await kecoa.aio.run_transaction(conn, body)


async def attempted(conn):
    async for attempt in kecoa.aio.attempts(conn):
        async with attempt:
            await conn.execute(INSERT, (1,))
            await conn.execute(INSERT, (2,))


BODIES = [
    transaction,
    failing_transaction,
    savepoints,
    savepoint_outside,
    stream,
    copies,
    pipeline,
    executemany,
    executemany_atomic,
    behind_a_closed_generator,
    retried,
    attempted,
]


async def table(watch: Any) -> list[int]:
    return [n for (n,) in await (await watch.execute("SELECT n FROM aio_cut ORDER BY n")).fetchall()]


@contextlib.asynccontextmanager
async def watched(dsn: str) -> Any:
    watch = await kecoa.aio.connect(dsn, autocommit=True)
    try:
        await watch.execute("DROP TABLE IF EXISTS aio_cut; CREATE TABLE aio_cut (n int)")
        yield watch
        await watch.execute("DROP TABLE aio_cut")
    finally:
        await watch.close()


def check_rows(found: list[int], ended: bool) -> None:
    # Cancelled in COMMIT, its outcome is not known; but it is all or nothing.
    assert found == [1, 2] if ended else found in ([], [1, 2])


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
@on_both_loops
async def test_a_connection(dsn, body: Callable[..., Any], times: int, moment: str):
    async with watched(dsn) as watch:
        conn = None
        at = 0
        while True:
            if conn is None or conn.closed:
                conn = await kecoa.aio.connect(dsn, autocommit=True)
            ended, waits = await cut(body(conn), at, times, moment)
            if not conn.closed:
                await conn.execute(INSERT, (5,))
                assert conn.info.transaction_status == IDLE, at
                assert conn.autocommit
                found = await table(watch)
                assert found.count(5) == 1, (at, found)
                found.remove(5)
                check_rows(found, ended)
            await watch.execute("TRUNCATE aio_cut")
            if at >= waits:
                assert ended
                break
            at += 1
        assert at > 0
        await conn.close()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("times", [1, 2, 3])
@on_both_loops
async def test_a_pool(dsn, times: int, moment: str):
    async def body(pool):
        async with pool.connection() as conn:
            await conn.execute(INSERT, (1,))
            await conn.execute(INSERT, (2,))

    async with watched(dsn) as watch, AsyncConnectionPool(dsn, min_size=1, max_size=1, timeout=20) as pool:
        at = 0
        while True:
            ended, waits = await cut(body(pool), at, times, moment)
            async with pool.connection() as conn:
                await conn.execute(INSERT, (5,))
            found = await table(watch)
            found.remove(5)
            check_rows(found, ended)
            await watch.execute("TRUNCATE aio_cut")
            figures = pool.stats()
            assert figures["pool_size"] == figures["pool_available"] == 1
            assert not figures["requests_waiting"]
            assert not pool._waiting
            if at >= waits:
                break
            at += 1
        assert at > 0


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("times", [1, 2, 3])
@on_both_loops
async def test_a_session_that_is_reset(dsn, times: int, moment: str):
    async def configure(conn):
        await conn.execute("SET application_name TO 'configured'")
        await conn.commit()

    async def body(pool):
        async with pool.connection() as conn:
            await conn.execute("SET application_name TO 'theirs'")

    async with AsyncConnectionPool(dsn, min_size=1, max_size=1, timeout=20, configure=configure) as pool:
        at = 0
        while True:
            _, waits = await cut(body(pool), at, times, moment)
            async with pool.connection() as conn:
                cur = await conn.execute("SHOW application_name")
                assert await cur.fetchone() == ("configured",), at
            assert pool.stats()["pool_size"] == 1
            if at >= waits:
                break
            at += 1
        assert at > 0


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("times", [1, 2, 3])
@on_both_loops
async def test_connecting_and_closing(dsn, times: int, moment: str):
    async def body():
        async with await kecoa.aio.connect(dsn, application_name="aio_cut") as conn:
            await conn.execute("SELECT 1")

    async with watched(dsn) as watch:
        at = 0
        while True:
            _, waits = await cut(body(), at, times, moment)
            if at >= waits:
                break
            at += 1
        for _ in range(500):
            cur = await watch.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'aio_cut'"
            )
            (left,) = await cur.fetchone()
            if not left:
                break
            await asyncio.sleep(0.01)
        assert not left
