"""`executemany` in autocommit mode: what is sent together succeeds or fails together, and in order."""

from __future__ import annotations

import asyncio

import pytest

import kecoa
from kecoa import extensions
from kecoa.extensions import AsIs
from tests.aio.loops import looped, on_both_loops


async def rows(conn):
    return [n for (n,) in await (await conn.execute("SELECT n FROM aio_many ORDER BY n")).fetchall()]


@pytest.fixture
def table(dsn):
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    conn.cursor().execute("DROP TABLE IF EXISTS aio_many; CREATE TABLE aio_many (n int PRIMARY KEY)")
    yield "aio_many"
    conn.cursor().execute("DROP TABLE aio_many")
    conn.close()


BAD = {
    "a value of another type": ("nonsense",),
    "a value in the text": (AsIs("1 / 0"),),
    "a value that is there": (1,),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("at", [0, 1, 2, 500, 898, 899])
@on_both_loops
async def test_no_row_behind_a_failing_one(table, connected, bad, at):
    async with connected() as conn:
        given = [bad if n == at else (n + 2,) for n in range(900)]
        if bad == (1,):
            await conn.execute("INSERT INTO aio_many VALUES (1)")
        with pytest.raises(kecoa.Error):
            await conn.cursor().executemany("INSERT INTO aio_many VALUES (%s)", given)
        assert [n for n in await rows(conn) if n != 1] == []


@looped
async def test_types_that_change_from_row_to_row(table, connected):
    async with connected() as conn:
        cur = conn.cursor()
        given = [(1,), ("2",), (AsIs("3"),), (4,), (None,), (AsIs("5"),), (6.0,)]
        await cur.executemany("INSERT INTO aio_many SELECT %s WHERE true", [g for g in given if g != (None,)])
        assert cur.rowcount == 6
        assert await rows(conn) == [1, 2, 3, 4, 5, 6]


@looped
async def test_statements_that_are_no_single_ones_stop_at_the_first_error(table, connected):
    """Each commits by itself, so one is sent when the one before has succeeded."""
    async with connected() as conn:
        sql = "INSERT INTO aio_many VALUES (%s); SELECT 1"
        cur = conn.cursor()
        await cur.executemany(sql, [(1,), (2,)])
        assert await rows(conn) == [1, 2]
        with pytest.raises(kecoa.errors.UniqueViolation):
            await cur.executemany(sql, [(3,), (2,), (4,)])
        assert await rows(conn) == [1, 2, 3]
        await cur.executemany("VACUUM %s", [(AsIs("aio_many"),), (AsIs("aio_many"),)])
        assert await (await conn.execute("SELECT 1")).fetchone() == (1,)


@looped
async def test_a_generator_that_has_others_use_the_connection(table, connected):
    """What it has buffered is sent first: statements that it starts wait for their turn."""
    async with connected() as conn:
        counts = []

        def given():
            for n in range(2500):
                if n in (10, 1500):
                    counts.append(asyncio.ensure_future(conn.execute("SELECT count(*) FROM aio_many")))
                yield (n,)

        await conn.cursor().executemany("INSERT INTO aio_many VALUES (%s)", given())
        assert [await (await found).fetchone() for found in counts] == [(2500,), (2500,)]


@looped
async def test_a_generator_that_fails_or_closes(table, connected):
    async with connected() as conn:

        def fails():
            yield from ((n,) for n in range(1500))
            raise KeyError("the generator's own")

        with pytest.raises(KeyError):
            await conn.cursor().executemany("INSERT INTO aio_many VALUES (%s)", fails())
        assert len(await rows(conn)) == 1000

        def closes():
            yield (5000,)
            conn._link.close()
            yield (5001,)

        with pytest.raises(kecoa.Error, match="closed"):
            await conn.cursor().executemany("INSERT INTO aio_many VALUES (%s)", closes())


MANY = 2500


@pytest.mark.parametrize("at", [0, 999, 1000, MANY - 1])
@on_both_loops
async def test_atomic_rows_are_there_together_or_not_at_all(table, connected, at):
    async with connected() as conn:
        given = [(n,) for n in range(MANY)]
        with pytest.raises(kecoa.Error):
            await conn.cursor().executemany(
                "INSERT INTO aio_many VALUES (%s)", [*given[:at], ("x",)], atomic=True
            )
        assert await rows(conn) == []
        cur = conn.cursor()
        await cur.executemany("INSERT INTO aio_many VALUES (%s)", given, atomic=True)
        assert cur.rowcount == MANY
        assert len(await rows(conn)) == MANY
        assert conn.autocommit


@looped
async def test_statements_of_other_tasks_wait_for_the_end_of_atomic_rows(table, connected):
    async with connected() as conn:
        await conn.set_autocommit(True)
        insert = "INSERT INTO aio_many VALUES (%s)"
        order = []

        async def many(given):
            try:
                await conn.cursor().executemany(insert, given, atomic=True)
            except kecoa.DataError:
                order.append("failed")
            else:
                order.append("done")

        async def other(number):
            await conn.execute(insert, (number,))
            order.append(number)

        await asyncio.gather(many([(n,) for n in range(2500)]), other(-1), many([("x",)]), other(-2))
        assert order[:2] == ["done", -1]
        cur = await conn.execute("SELECT count(*), min(n) FROM aio_many")
        assert await cur.fetchone() == (2502, -2)


@looped
async def test_atomic_rows_belong_to_the_transaction_that_is_there(table, connected):
    insert = "INSERT INTO aio_many VALUES (%s)"
    async with connected() as conn:
        with pytest.raises(LookupError):
            async with conn.transaction():
                await conn.cursor().executemany(insert, [(1,), (2,)], atomic=True)
                raise LookupError
        assert await rows(conn) == []
        async with conn.pipeline():
            await conn.execute("BEGIN")
            await conn.cursor().executemany(insert, [(1,), (2,)], atomic=True)
            await conn.execute("ROLLBACK")
        assert await rows(conn) == []


@looped
async def test_an_adapter_may_change_how_later_values_are_written(connected):
    """Adapters are looked up for each row anew, where code of the program's has run."""

    class Switch:
        pass

    def written(value):
        adapters[int, extensions.ISQLQuote] = lambda value: AsIs(str(10 * value))
        return AsIs("0")

    adapters = extensions.adapters
    before = dict(adapters)
    extensions.register_adapter(Switch, written)
    try:
        async with connected() as conn:
            await conn.execute("CREATE TEMP TABLE t (a int, b int, c int)")
            rows = [(1, Switch(), 2), (3, 4, 5)]
            await conn.cursor().executemany("INSERT INTO t VALUES (%s, %s, %s)", rows)
            found = await conn.execute("SELECT * FROM t ORDER BY a")
            assert await found.fetchall() == [(1, 0, 20), (30, 40, 50)]
    finally:
        adapters.clear()
        adapters.update(before)
