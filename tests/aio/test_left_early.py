"""Streams, copies and blocks that are left before their end: the connection goes on, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import gc

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions
from kecoa.aio import AsyncConnectionPool
from tests.aio.loops import looped, on_both_loops, until

MANY = "SELECT generate_series(1, 50000)"


@pytest.fixture
def table(dsn):
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    conn.cursor().execute("DROP TABLE IF EXISTS aio_early; CREATE TABLE aio_early (n int)")
    yield "aio_early"
    conn.cursor().execute("DROP TABLE aio_early")
    conn.close()


async def count(conn):
    return (await (await conn.execute("SELECT count(*) FROM aio_early")).fetchone())[0]


async def by_break(conn):
    async for (n,) in conn.cursor().stream(MANY):
        if n == 3:
            break


async def by_return(conn):
    async for row in conn.cursor().stream(MANY):
        return row[0]


async def by_error(conn):
    with contextlib.suppress(KeyError):
        async for _ in conn.cursor().stream(MANY):
            raise KeyError("the program's own")


async def with_a_reference(conn):
    rows = conn.cursor().stream(MANY)
    async for _ in rows:
        break
    await conn.execute("SELECT 1")
    await rows.aclose()


async def through_another_generator(conn):
    async def numbers():
        async for (n,) in conn.cursor().stream(MANY):
            yield n

    async for n in numbers():
        if n == 3:
            break


async def by_a_typecaster(conn):
    def fail(value, cursor):
        raise KeyError("the typecaster's own")

    conn.register_type(extensions.new_type((23,), "FAILS", fail))
    with contextlib.suppress(KeyError):
        async for _ in conn.cursor().stream(MANY):
            pass
    conn.register_type(extensions.new_type((23,), "INTEGER", lambda value, _: value and int(value)))


async def by_a_row_factory(conn):
    def factory(cursor):
        raise KeyError("the factory's own")

    cur = conn.cursor(row_factory=factory)
    with contextlib.suppress(KeyError):
        async for _ in cur.stream(MANY):
            pass


async def a_copy(conn):
    async with conn.cursor().copy(f"COPY ({MANY}) TO STDOUT") as copy:
        await copy.read()


async def in_a_task_that_is_gone(conn):
    await asyncio.ensure_future(by_break(conn))


WAYS = [
    by_break,
    by_return,
    by_error,
    with_a_reference,
    through_another_generator,
    by_a_typecaster,
    by_a_row_factory,
    a_copy,
    in_a_task_that_is_gone,
]


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
@on_both_loops
async def test_in_autocommit_mode(connected, leave):
    async with connected() as conn:
        for _ in range(3):
            await leave(conn)
            cur = await conn.execute("SELECT 7::int8")
            assert await cur.fetchone() == (7,)
            assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
@on_both_loops
async def test_work_before_it_is_committed(dsn, table, connected, leave):
    async with connected() as watch:
        async with await kecoa.aio.connect(dsn) as conn:
            await conn.execute("INSERT INTO aio_early VALUES (1)")
            await leave(conn)
        assert await count(watch) == 1
        async with await kecoa.aio.connect(dsn) as conn, conn.transaction():
            await leave(conn)
            await conn.execute("INSERT INTO aio_early VALUES (2)")
            await leave(conn)
        assert await count(watch) == 2


@on_both_loops
async def test_what_it_did_is_undone_and_the_rest_is_not(table, connected):
    async with connected() as conn:
        async with conn.transaction():
            await conn.execute("INSERT INTO aio_early VALUES (1)")
            sql = "INSERT INTO aio_early SELECT generate_series(1, 50000) RETURNING n"
            async for _ in conn.cursor().stream(sql):
                break
        assert await count(conn) == 1


@looped
async def test_a_stream_that_fails_fails_its_transaction(connected):
    async with connected(autocommit=False) as conn:
        with pytest.raises(kecoa.errors.DivisionByZero):
            async for _ in conn.cursor().stream("SELECT 1 / (3 - n) FROM generate_series(1, 5) n"):
                pass
        with pytest.raises(kecoa.errors.InFailedSqlTransaction):
            await conn.execute("SELECT 1")


@looped
async def test_streams_in_a_transaction_leave_no_savepoint(connected):
    async with connected(autocommit=False) as conn:
        await conn.execute("SELECT 1")
        assert [row async for row in conn.cursor().stream("SELECT 2")] == [(2,)]
        await by_break(conn)
        for _ in range(2):
            with pytest.raises(kecoa.errors.InvalidSavepointSpecification):
                await conn.execute("ROLLBACK TO SAVEPOINT _kecoa_stream")
            await conn.rollback()


class Never:
    """Is awaited, and never over."""

    def __await__(self):
        yield None
        while True:
            yield None


async def in_a_block(conn):
    async with conn.transaction():
        await conn.execute("INSERT INTO aio_early VALUES (8)")
        await Never()


async def in_a_savepoint(conn):
    async with conn.transaction(), conn.transaction():
        await conn.execute("INSERT INTO aio_early VALUES (8)")
        await Never()


async def in_a_copy(conn):
    async with conn.transaction(), conn.cursor().copy("COPY aio_early FROM STDIN") as copy:
        await copy.write_row((8,))
        await Never()


async def in_a_stream(conn):
    async with conn.transaction():
        async for _ in conn.cursor().stream(MANY):
            await Never()


async def in_a_pipeline(conn):
    async with conn.transaction(), conn.pipeline():
        await conn.execute("INSERT INTO aio_early VALUES (8)")
        await Never()


async def in_a_cursor_on_the_server(conn):
    async with conn.transaction(), conn.cursor("report") as cur:
        await cur.execute(MANY)
        await cur.fetchone()
        await Never()


async def in_run_transaction(conn):
    async def body(conn):
        await conn.execute("INSERT INTO aio_early VALUES (8)")
        await Never()

    await kecoa.aio.run_transaction(conn, body)


async def to_its_wait(coroutine):
    """Drive a coroutine in this task until it waits for `Never`, and close it as a garbage collection does."""
    future = coroutine.send(None)
    while future is not None:
        future._asyncio_future_blocking = False
        await asyncio.wait([future])
        future = coroutine.send(None)
    coroutine.close()


@pytest.mark.parametrize(
    "body",
    [
        in_a_block,
        in_a_savepoint,
        in_a_copy,
        in_a_stream,
        in_a_pipeline,
        in_a_cursor_on_the_server,
        in_run_transaction,
    ],
    ids=lambda body: body.__name__,
)
@looped
async def test_a_coroutine_that_is_thrown_away(table, connected, body):
    """GeneratorExit: nothing can be waited for, and still nothing is left open."""
    async with connected() as conn, connected() as watch:
        await to_its_wait(body(conn))
        await conn.execute("INSERT INTO aio_early VALUES (1)")
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
        assert await count(watch) == 1


@looped
async def test_a_checkout_that_is_thrown_away(dsn, table, connected):
    async def body(pool):
        async with pool.connection() as conn:
            await conn.execute("INSERT INTO aio_early VALUES (8)")
            await Never()

    async with connected() as watch, AsyncConnectionPool(dsn, min_size=1, max_size=1, timeout=20) as pool:
        for _ in range(3):
            await to_its_wait(body(pool))
            async with pool.connection() as conn:
                await conn.execute("SELECT 1")
            await to_its_wait(kecoa_retry(pool))
        gc.collect()
        await until(lambda: pool.stats()["pool_available"] == 1, "the place is free")
        assert await count(watch) == 0


async def kecoa_retry(pool):
    await in_run_transaction(pool)


@looped
async def test_a_pool_that_is_thrown_away(dsn, connected):
    pools = []

    async def body():
        async with AsyncConnectionPool(dsn, min_size=3, kwargs={"application_name": "aio_thrown"}) as pool:
            pools.append(pool)
            async with pool.connection() as conn:
                await conn.execute("SELECT 1")
                await Never()

    async with connected() as watch:
        await to_its_wait(body())
        assert pools[0].closed

        async def none_left():
            sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'aio_thrown'"
            return (await (await watch.execute(sql)).fetchone()) == (0,)

        await until(none_left, "its sessions are gone")


@looped
async def test_blocks_that_are_left_in_another_order(table, connected):
    """Whose work is whose is not known: the connection is closed, and every task gets an error."""
    async with connected() as conn, connected() as watch:
        first, second = conn.transaction(), conn.transaction()
        await first.__aenter__()
        await conn.execute("INSERT INTO aio_early VALUES (8)")
        await second.__aenter__()
        with pytest.raises(kecoa.ProgrammingError, match="reverse order"):
            await first.__aexit__(None, None, None)
        assert conn.closed
        with pytest.raises(kecoa.OperationalError, match="not left in the reverse order"):
            await second.__aexit__(None, None, None)
        assert await count(watch) == 0


@looped
async def test_what_a_checkout_leaves_open_is_ended(dsn, table, connected):
    async with connected() as watch, AsyncConnectionPool(dsn, min_size=1, max_size=1, timeout=20) as pool:
        for number in range(6):
            conn = await pool.getconn()
            rows = conn.cursor().stream(MANY)
            await conn.execute("INSERT INTO aio_early VALUES (8)")
            if number % 3 == 0:
                await rows.__anext__()
            elif number % 3 == 1:
                await conn.transaction().__aenter__()
            else:
                await conn.pipeline().__aenter__()
            await pool.putconn(conn)
            async with pool.connection() as conn:
                assert await (await conn.execute("SELECT 7")).fetchone() == (7,)
        assert await count(watch) == 0


@looped
async def test_what_comes_behind_a_generator_that_was_closed_is_no_part_of_its_transaction(dsn, table):
    """Its rollback is queued when the generator is thrown away, and done before the next transaction begins."""

    async def rows(conn):
        async with conn.transaction():
            await conn.execute("INSERT INTO aio_early VALUES (1)")
            yield 1
            await conn.execute("INSERT INTO aio_early VALUES (1)")

    async def a_block(conn):
        async with conn.transaction():
            await conn.execute("INSERT INTO aio_early VALUES (2)")

    async def many(conn):
        await conn.cursor().executemany("INSERT INTO aio_early VALUES (%s)", [(2,)], atomic=True)

    async def settings(conn):
        await conn.set_autocommit(False)
        await conn.set_isolation_level("SERIALIZABLE")
        await conn.set_read_only(False)
        await conn.set_deferrable(None)
        await conn.execute("INSERT INTO aio_early VALUES (2)")
        await conn.commit()
        await conn.set_autocommit(True)

    async def two_phases(conn):
        await conn.set_autocommit(False)
        await conn.tpc_begin("early")
        await conn.execute("INSERT INTO aio_early VALUES (2)")
        await conn.tpc_commit()
        await conn.set_autocommit(True)

    conn = await kecoa.aio.connect(dsn, autocommit=True)
    watcher = await kecoa.aio.connect(dsn, autocommit=True)
    for number, what in enumerate([a_block, many, settings, two_phases], 1):
        generator = rows(conn)
        assert await anext(generator) == 1
        await generator.aclose()
        await what(conn)
        assert conn.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE
        assert await count(watcher) == number
    await conn.close()
    await watcher.close()
