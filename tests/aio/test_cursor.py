"""Statements, rows, server-side cursors, streams."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import decimal
import sys

import pytest

import kecoa
import kecoa.aio
import kecoa.rows
from kecoa import sql
from tests.aio.loops import looped, on_both_loops, until


@on_both_loops
async def test_values_go_and_come(connected):
    async with connected() as conn:
        given = (
            1, -(2**40), 2.5, True, None, "Küche 'n\\", b"\0\xff", decimal.Decimal("1.50"),
            datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30, 1, 5),
            datetime.timedelta(days=1, seconds=2), [1, 2, None], ["a", "b,c"],
        )  # fmt: skip
        types = "int4 int8 float8 bool text text bytea numeric date timestamp interval int[] text[]".split()
        marks = ", ".join(f"%s::{name}" for name in types)
        for _ in range(3):
            cur = await conn.execute(f"SELECT {marks}", given)
            row = await cur.fetchone()
            assert tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) == given
            assert type(row[0]) is int


@looped
async def test_named_arguments_and_composed_statements(connected):
    async with connected() as conn:
        cur = await conn.execute("SELECT %(a)s::int + %(b)s, '%%'", {"a": 1, "b": 2})
        assert await cur.fetchone() == (3, "%")
        cur = await conn.execute("SELECT '%'")
        assert await cur.fetchone() == ("%",)
        query = sql.SQL("SELECT {} AS {}").format(sql.Literal("x"), sql.Identifier("Column"))
        cur = await conn.execute(query)
        assert cur.description[0].name == "Column"
        cur = await conn.execute(b"SELECT 1")
        assert await cur.fetchall() == [(1,)]
        assert cur.mogrify("SELECT %s", ("a",)) == b"SELECT 'a'"
        with pytest.raises(TypeError):
            await conn.execute("SELECT %s", (1, 2))
        with pytest.raises(kecoa.ProgrammingError, match="empty"):
            await conn.execute("")


@looped
async def test_fetching(connected):
    async with connected() as conn:
        cur = conn.cursor()
        assert cur.rowcount == -1
        assert cur.description is None
        with pytest.raises(kecoa.ProgrammingError, match="no results"):
            await cur.fetchone()
        assert await cur.execute("SELECT generate_series(1, 10) AS n") is cur
        assert cur.rowcount == 10
        assert [column.name for column in cur.description] == ["n"]
        assert cur.statusmessage == "SELECT 10"
        assert await cur.fetchone() == (1,)
        assert await cur.fetchmany() == [(2,)]
        cur.arraysize = 2
        assert await cur.fetchmany() == [(3,), (4,)]
        assert await cur.fetchmany(3) == [(5,), (6,), (7,)]
        assert cur.rownumber == 7
        await cur.scroll(-2)
        assert await cur.fetchone() == (6,)
        await cur.scroll(9, "absolute")
        assert await cur.fetchall() == [(10,)]
        assert await cur.fetchone() is None
        assert await cur.fetchall() == []
        with pytest.raises(kecoa.ProgrammingError, match="out of bounds"):
            await cur.scroll(100)
        await cur.scroll(0, "absolute")
        assert [row async for row in cur] == [(n,) for n in range(1, 11)]
        with pytest.raises(kecoa.NotSupportedError):
            await cur.nextset()
        async with cur:
            pass
        assert cur.closed
        with pytest.raises(kecoa.InterfaceError, match="closed"):
            await cur.execute("SELECT 1")
        assert cur.connection is conn


@looped
async def test_a_loop_over_rows_that_is_left_or_interrupted_loses_none(connected):
    async with connected() as conn:
        cur = await conn.execute("SELECT i FROM generate_series(1, 2500) i")
        async for row in cur:
            assert row == (cur.rownumber,)
            if row == (3,):
                break
        assert await cur.fetchone() == (4,)
        assert await cur.fetchmany(2) == [(5,), (6,)]
        async for row in cur:
            assert row == (7,)
            await cur.scroll(2000)
            break
        assert [row async for row in cur] == [(i,) for i in range(2008, 2501)]
        await cur.execute("SELECT i FROM generate_series(1, 3) i")
        seen = []
        async for (i,) in cur:
            seen.append(i)
            if i == 1:
                await cur.execute("SELECT i FROM generate_series(10, 11) i")
        assert seen == [1, 10, 11]


@looped
async def test_rows_are_awaited_in_any_way(connected):
    async with connected() as conn:
        cur = await conn.execute("SELECT i FROM generate_series(1, 6) i")
        rows = aiter(cur)
        assert aiter(rows) is rows
        assert await anext(rows) == (1,)
        assert await asyncio.wait_for(rows.__anext__(), 5) == (2,)
        assert await asyncio.gather(anext(rows), anext(rows)) == [(3,), (4,)]
        assert await anext(rows, None) == (5,)
        cur.row_factory = kecoa.rows.dict_row
        seen = []
        # Whoever traces a program asks for rows in another way.
        before = sys.gettrace()
        sys.settrace(lambda *_: None)
        try:
            async for row in cur:
                seen.append(row)
        finally:
            sys.settrace(before)
        assert seen == [{"i": 6}]
        with pytest.raises(StopAsyncIteration):
            await anext(rows)
        assert await anext(rows, "none") == "none"
        await conn.execute("CREATE TEMP TABLE bad (t timestamp)")
        await conn.execute("INSERT INTO bad VALUES ('2024-01-01'), ('20000-01-01'), ('2024-01-02')")
        await cur.execute("SELECT t FROM bad")
        cur.row_factory = None
        seen = []
        with pytest.raises(ValueError, match="year"):
            async for (found,) in cur:
                seen.append(found.day)
        # As with `fetchone`, a row that cannot be converted is passed over.
        assert [found.day async for (found,) in cur] == [2]
        assert seen == [1]
        await cur.close()
        with pytest.raises(kecoa.InterfaceError, match="closed"):
            async for _ in cur:
                raise AssertionError


@looped
async def test_a_loop_over_rows_waits_for_a_statement_of_a_pipeline(connected):
    async with connected() as conn, conn.pipeline():
        cur = await conn.execute("SELECT i FROM generate_series(1, 3) i")
        seen = []
        async for (i,) in cur:
            seen.append(i)
            if i == 2:
                await cur.execute("SELECT i FROM generate_series(10, 12) i")
        assert seen == [1, 2, 10, 11, 12]
        await cur.execute("SELECT 1 WHERE false")
        assert [row async for row in cur] == []
        await cur.execute("SELECT 1/0")
        with pytest.raises(kecoa.errors.DivisionByZero):
            async for _ in cur:
                raise AssertionError


@looped
async def test_statements_without_rows(connected):
    async with connected() as conn:
        cur = await conn.execute("CREATE TEMP TABLE t (n int)")
        assert (cur.description, cur.statusmessage) == (None, "CREATE TABLE")
        cur = await conn.execute("INSERT INTO t SELECT generate_series(1, 3)")
        assert (cur.rowcount, cur.statusmessage) == (3, "INSERT 0 3")
        cur = await conn.execute("DELETE FROM t WHERE n > %s RETURNING n", (1,))
        assert cur.rowcount == 2
        assert sorted(await cur.fetchall()) == [(2,), (3,)]


@looped
async def test_an_error_says_all_and_leaves_the_connection_usable(connected):
    async with connected() as conn:
        with pytest.raises(kecoa.errors.UndefinedColumn) as raised:
            await conn.execute("SELECT 1, nope")
        assert raised.value.pgcode == "42703"
        assert raised.value.diag.statement_position == "11"
        cur = await conn.execute("SELECT 1")
        assert await cur.fetchone() == (1,)


@looped
async def test_the_first_error_in_a_transaction_has_its_true_position(connected):
    async with connected(autocommit=False) as conn:
        with pytest.raises(kecoa.errors.UndefinedColumn) as raised:
            await conn.execute("SELECT 1, nope")
        assert raised.value.diag.statement_position == "11"


@looped
async def test_rows_of_many_kinds(connected):
    class Point:
        def __init__(self, a, b):
            self.a, self.b = a, b

    async with connected() as conn:

        async def row(factory):
            cur = conn.cursor(row_factory=factory)
            await cur.execute("SELECT 1 AS a, 2 AS b")
            return await cur.fetchone()

        assert await row(kecoa.aio.tuple_row) == (1, 2)
        assert await row(kecoa.aio.dict_row) == {"a": 1, "b": 2}
        assert await row(kecoa.aio.scalar_row) == 1
        named = await row(kecoa.aio.namedtuple_row)
        assert (named.a, named.b) == (1, 2)
        assert (await row(kecoa.aio.class_row(Point))).b == 2
        assert await row(kecoa.aio.args_row(lambda a, b: a + b)) == 3
        assert await row(kecoa.aio.kwargs_row(lambda a, b: a - b)) == -1
        conn.row_factory = kecoa.aio.dict_row
        cur = await conn.execute("SELECT 1 AS x UNION SELECT 2 ORDER BY 1")
        assert await cur.fetchall() == [{"x": 1}, {"x": 2}]
        await cur.execute("SELECT 3 AS y")
        assert await cur.fetchmany(5) == [{"y": 3}]
        cur = conn.cursor(row_factory=kecoa.aio.namedtuple_row)
        await cur.execute('SELECT 1 AS "class", 2 AS "1st", 3 AS "a b", 4 AS "a b"')
        assert tuple(await cur.fetchone()) == (1, 2, 3, 4)


@on_both_loops
async def test_executemany(connected):
    async with connected(autocommit=False) as conn:
        cur = await conn.execute("CREATE TEMP TABLE t (n int, s text)")
        await cur.executemany("INSERT INTO t VALUES (%s, %s)", [(n, str(n)) for n in range(1500)])
        assert cur.rowcount == 1500
        with pytest.raises(kecoa.ProgrammingError):
            await cur.fetchone()
        cur = await conn.execute("SELECT count(*), sum(n) FROM t WHERE n::text = s")
        assert await cur.fetchone() == (1500, 1499 * 750)
        await cur.executemany("DELETE FROM t WHERE n = %(n)s", ({"n": n} for n in (1, 2, -1)))
        assert cur.rowcount == 2
        await cur.executemany("DELETE FROM t WHERE n = %s", [])
        assert cur.rowcount in (0, -1)
        await conn.commit()
        with pytest.raises(kecoa.errors.InvalidTextRepresentation):
            await cur.executemany("INSERT INTO t VALUES (%s::text::int, '')", [("1",), ("x",), ("3",)])
        assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR
        await conn.rollback()
        with pytest.raises(TypeError):
            await cur.executemany("DELETE FROM t WHERE n = %s", [(1,), (1, 2)])
        await conn.rollback()
        cur = await conn.execute("SELECT count(*) FROM t")
        assert await cur.fetchone() == (1498,)


@on_both_loops
async def test_a_server_side_cursor(connected):
    async with connected(autocommit=False) as conn:
        async with conn.cursor("rows of mine") as cur:
            await cur.execute("SELECT generate_series(1, %s)", (5000,))
            assert await cur.fetchone() == (1,)
            assert await cur.fetchmany(2) == [(2,), (3,)]
            cur.itersize = 700
            rest = [n async for (n,) in cur]
            assert rest == list(range(4, 5001))
            assert await cur.fetchone() is None
            assert await cur.fetchall() == []
        assert cur.name == "rows of mine"
        cur = conn.cursor("scrolls", scrollable=True)
        await cur.execute("SELECT generate_series(1, 10)")
        await cur.scroll(4)
        assert await cur.fetchone() == (5,)
        await cur.scroll(2, "absolute")
        assert await cur.fetchall() == [(n,) for n in range(3, 11)]
        await cur.execute("SELECT 7")
        assert await cur.fetchall() == [(7,)]
        with pytest.raises(ValueError, match="mode"):
            await cur.scroll(1, "sideways")
        await conn.commit()
        await cur.close()
        with pytest.raises(kecoa.ProgrammingError, match="named cursors"):
            await conn.cursor("x").executemany("SELECT 1", [])


@looped
async def test_server_side_cursors_and_transactions(connected):
    async with connected() as conn:
        cur = conn.cursor("needs a transaction")
        with pytest.raises(kecoa.ProgrammingError, match="needs a transaction"):
            await cur.execute("SELECT 1")
        async with conn.transaction():
            await cur.execute("SELECT 1")
            assert await cur.fetchall() == [(1,)]
        cur = conn.cursor("held", withhold=True)
        await cur.execute("SELECT generate_series(1, 3)")
        assert [row async for row in cur] == [(1,), (2,), (3,)]
        await cur.close()
        found = await conn.execute("SELECT count(*) FROM pg_cursors WHERE name <> ''")
        assert await found.fetchone() == (0,)
        with pytest.raises(kecoa.errors.SyntaxError):
            async with conn.transaction():
                async with conn.cursor("broken") as cur:
                    await cur.execute("SELEKT 1")


@on_both_loops
async def test_streams(connected):
    async with connected(autocommit=False) as conn:
        total = 0
        async for n, text in conn.cursor().stream(
            "SELECT n, repeat('x', 1000) FROM generate_series(1, %s) n", (20000,)
        ):
            total += n
            assert len(text) == 1000
        assert total == 20000 * 20001 // 2
        assert [row async for row in conn.cursor().stream("SELECT 1 WHERE false")] == []
        cur = conn.cursor(row_factory=kecoa.aio.dict_row)
        assert [row async for row in cur.stream("SELECT 1 AS a")] == [{"a": 1}]
        assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INTRANS
        with pytest.raises(kecoa.errors.DivisionByZero):
            async for _ in cur.stream("SELECT 1 / (n - 500) FROM generate_series(1, 1000) n"):
                pass
        await conn.rollback()
        cur = await conn.execute("SELECT 1")
        assert await cur.fetchone() == (1,)


@on_both_loops
async def test_a_stream_that_is_left(connected):
    async with connected() as conn:
        async with contextlib.aclosing(conn.cursor().stream("SELECT generate_series(1, 100000000)")) as rows:
            async for _ in rows:
                break
        cur = await conn.execute("SELECT 2")
        assert await cur.fetchone() == (2,)


@looped
async def test_a_stream_and_other_statements_of_its_task(connected):
    async with connected() as conn:
        with pytest.raises(kecoa.ProgrammingError, match="would wait for itself"):
            async with contextlib.aclosing(conn.cursor().stream("SELECT generate_series(1, 10)")) as rows:
                async for _ in rows:
                    await conn.execute("SELECT 1")
        # Another task waits for its turn.
        async with contextlib.aclosing(conn.cursor().stream("SELECT generate_series(1, 10)")) as rows:
            async for _ in rows:
                other = asyncio.ensure_future(conn.execute("SELECT 2"))
                await asyncio.sleep(0)
                break
        assert await (await other).fetchone() == (2,)


@looped
async def test_a_stream_that_is_cancelled(connected):
    async with connected() as conn:
        seen = []

        async def read():
            async for n, _ in conn.cursor().stream(
                "SELECT n, pg_sleep(n / 300) FROM generate_series(1, 1000) n"
            ):
                seen.append(n)

        task = asyncio.ensure_future(read())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cur = await conn.execute("SELECT 2")
        assert await cur.fetchone() == (2,)


@looped
async def test_others_get_their_turn_while_a_stream_is_read(connected):
    async with connected() as conn:
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticker = asyncio.ensure_future(tick())
        async for _ in conn.cursor().stream("SELECT repeat('x', 100) FROM generate_series(1, 200000)"):
            pass
        ticker.cancel()
        assert ticks > 10
        await until(ticker.done, "the ticker ends")


@on_both_loops
async def test_a_statement_outlives_what_was_prepared_for_it(connected):
    """From its second use on the server has it prepared: a change of schema, or DISCARD, is nobody's concern."""
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (a int, b date)")
        await conn.execute("INSERT INTO t VALUES (1, '2024-02-29')")

        async def look():
            cur = await conn.execute("SELECT * FROM t WHERE a = %s", (1,))
            return await cur.fetchone(), [column.name for column in cur.description]

        day = datetime.date(2024, 2, 29)
        for _ in range(4):
            assert await look() == ((1, day), ["a", "b"])
        await conn.execute("ALTER TABLE t ADD c text DEFAULT 'new'")
        for _ in range(4):
            assert await look() == ((1, day, "new"), ["a", "b", "c"])
        await conn.execute("DEALLOCATE ALL")
        for _ in range(4):
            assert await look() == ((1, day, "new"), ["a", "b", "c"])
        # A change of schema by this connection is noticed, also inside a transaction.
        async with conn.transaction():
            await conn.execute("ALTER TABLE t ADD d int")
            assert (await look())[1] == ["a", "b", "c", "d"]
            await conn.execute("ALTER TABLE t DROP d")
            assert (await look())[1] == ["a", "b", "c"]
        for _ in range(4):
            await look()
        # One that it can't see: inside a transaction the error has ended it; the next one goes well.
        await conn.execute("DO 'BEGIN ALTER TABLE t DROP c; END'")
        with pytest.raises(kecoa.errors.FeatureNotSupported):
            async with conn.transaction():
                await conn.execute("SELECT 1")
                await look()
        async with conn.transaction():
            assert await look() == ((1, day), ["a", "b"])


@looped
async def test_instants_follow_the_sessions_time_zone(connected):
    async with connected(options="-c timezone=UTC") as conn:

        async def offset(cur):
            return (await cur.fetchone())[0].utcoffset()

        query = "SELECT timestamptz '2024-02-29 12:00:00+00'"
        for _ in range(4):
            assert await offset(await conn.execute(query)) == datetime.timedelta(0)
        async with conn.pipeline():
            await conn.execute("SET TimeZone TO 'Asia/Jakarta'")
            cur = await conn.execute(query)
        assert await offset(cur) == datetime.timedelta(hours=7)
        for _ in range(2):
            assert await offset(await conn.execute(query)) == datetime.timedelta(hours=7)


@looped
async def test_behind_a_statement_that_was_not_sent_there_are_no_rows_of_another(dsn):
    async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
        cur = conn.cursor()
        for vars in [(1, 2), (object(),), {"b": 1}]:
            await cur.execute("SELECT generate_series(1, 3)")
            assert await cur.fetchone() == (1,)
            with pytest.raises((TypeError, KeyError, kecoa.ProgrammingError)):
                await cur.execute("SELECT %s", vars)
            with pytest.raises(kecoa.ProgrammingError, match="no results"):
                await cur.fetchone()
            assert cur.description is None
        # One that was given up while it waited for its turn.
        await cur.execute("SELECT generate_series(1, 3)")
        other = asyncio.ensure_future(conn.execute("SELECT pg_sleep(30)"))
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(cur.execute("SELECT 4"))
        await asyncio.sleep(0)
        for task in (waiting, other):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        with pytest.raises(kecoa.ProgrammingError, match="no results"):
            await cur.fetchone()
