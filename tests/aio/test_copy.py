"""COPY in pieces."""

from __future__ import annotations

import asyncio
import datetime

import pytest

import kecoa
import kecoa.aio
from tests.aio.loops import looped, on_both_loops


async def one(conn, sql):
    cur = await conn.execute(sql)
    return await cur.fetchone()


@on_both_loops
async def test_in_and_out(connected):
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (n int, s text)")
        cur = conn.cursor()
        async with cur.copy("COPY t FROM STDIN") as copy:
            await copy.write(b"1\tone\n2\t")
            await copy.write("zwölf\n")
            await copy.write(memoryview(b"3\t\\N\n"))
        assert (cur.rowcount, cur.statusmessage) == (3, "COPY 3")
        async with cur.copy("COPY (SELECT * FROM t ORDER BY n) TO STDOUT") as copy:
            assert b"".join([block async for block in copy]) == "1\tone\n2\tzwölf\n3\t\\N\n".encode()
            assert await copy.read() == b""
        assert cur.rowcount == 3
        async with conn.cursor().copy("COPY t TO STDOUT (FORMAT csv)") as copy:
            assert (await copy.read()).startswith(b"1,one")
        assert await one(conn, "SELECT count(*) FROM t") == (3,)


@looped
async def test_rows(connected):
    async with connected() as conn:
        await conn.execute(
            "CREATE TEMP TABLE t (n int, s text, b bool, d date, y bytea, a int[], x text[], j jsonb)"
        )
        rows = [
            (1, "tab\tline\nback\\slash\rnull \\N", True, datetime.date(2024, 2, 29), b"\0\\x\xff", [1, None], ['a"b\\c', "NULL"], {"k": [1]}),
            (None,) * 8,
        ]  # fmt: skip
        async with conn.cursor().copy("COPY t FROM STDIN") as copy:
            for row in rows:
                await copy.write_row(row)
        cur = await conn.execute("SELECT n, s, b, d, y, a, x, j FROM t")
        first, second = await cur.fetchall()
        assert (*first[:4], bytes(first[4]), *first[5:]) == rows[0]
        assert second == rows[1]


@looped
async def test_a_write_that_is_given_up_in_its_middle_is_not_the_copy_s_end(connected):
    async with connected() as conn, connected() as other:
        # The server reads nothing while the lock is another's.
        await conn.execute(
            "CREATE TEMP TABLE t (s text, n text DEFAULT pg_advisory_xact_lock_shared(7077)::text)"
        )
        await conn.commit()
        await other.execute("SELECT pg_advisory_lock(7077)")
        with pytest.raises(kecoa.ProgrammingError, match="in the middle of its data"):
            async with conn.cursor().copy("COPY t (s) FROM STDIN") as copy:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(copy.write(b"0123456789\n" * 2_000_000), 1)
                await other.execute("SELECT pg_advisory_unlock(7077)")
                with pytest.raises(kecoa.ProgrammingError, match="in the middle of its data"):
                    await copy.write(b"another\n")
        await conn.rollback()
        assert await one(conn, "SELECT count(*) FROM t") == (0,)


@looped
async def test_rows_wait_for_others_and_keep_their_order(connected):
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (id serial, s text)")
        async with conn.cursor().copy("COPY t (s) FROM STDIN") as copy:
            for n in range(3000):
                await copy.write_row([f"{n} {'x' * 40}"])
                if n % 500 == 0:
                    await copy.write(f"{n} by write\n")
            await copy.write_row(["the last"])
        cur = await conn.execute("SELECT s FROM t ORDER BY id")
        found = [text for (text,) in await cur.fetchall()]
        expected = []
        for n in range(3000):
            expected.append(f"{n} {'x' * 40}")
            if n % 500 == 0:
                expected.append(f"{n} by write")
        assert found == [*expected, "the last"]


@looped
async def test_rows_that_wait_are_refused_at_the_end_of_the_block(connected):
    async with connected(autocommit=True) as conn:
        await conn.execute("CREATE TEMP TABLE t (n int)")
        with pytest.raises(kecoa.errors.InvalidTextRepresentation):
            async with conn.cursor().copy("COPY t FROM STDIN") as copy:
                await copy.write_row([1])
                await copy.write_row(["none"])
        with pytest.raises(ValueError, match="given up"):
            async with conn.cursor().copy("COPY t FROM STDIN") as copy:
                await copy.write_row([1])
                raise ValueError("given up")
        with pytest.raises(kecoa.ProgrammingError, match=r"write_row\(\) needs the block"):
            await copy.write_row([1])
        cur = await conn.execute("SELECT count(*) FROM t")
        assert await cur.fetchone() == (0,)


@on_both_loops
async def test_much_data_goes_both_ways(connected):
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (s text)")
        block = (b"x" * 999 + b"\n") * 1000
        async with conn.cursor().copy("COPY t FROM STDIN") as copy:
            for _ in range(20):
                await copy.write(block)
        total = 0
        async with conn.cursor().copy("COPY t TO STDOUT") as copy:
            async for data in copy:
                total += len(data)
        assert total == 20 * len(block)


@looped
async def test_begins_a_transaction(connected):
    async with connected(autocommit=False) as conn:
        await conn.execute("CREATE TEMP TABLE t (n int)")
        await conn.commit()
        async with conn.cursor().copy("COPY t FROM STDIN") as copy:
            await copy.write(b"1\n")
        await conn.rollback()
        assert await one(conn, "SELECT count(*) FROM t") == (0,)


@looped
async def test_an_exception_in_the_block_gives_the_copy_up(connected):
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (n int)")
        with pytest.raises(ZeroDivisionError):
            async with conn.cursor().copy("COPY t FROM STDIN") as copy:
                await copy.write(b"1\n")
                raise ZeroDivisionError
        assert await one(conn, "SELECT count(*) FROM t") == (0,)


@on_both_loops
async def test_data_that_is_refused(connected):
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (n int)")
        with pytest.raises(kecoa.errors.InvalidTextRepresentation):
            async with conn.cursor().copy("COPY t FROM STDIN") as copy:
                await copy.write(b"x\n")
        assert await one(conn, "SELECT 1") == (1,)
        # A producer without end is stopped.
        with pytest.raises(kecoa.errors.InvalidTextRepresentation):
            async with conn.cursor().copy("COPY t FROM STDIN") as copy:
                await copy.write(b"x\n" * 50_000)
                while True:
                    await copy.write(b"1\n" * 50_000)
                    await asyncio.sleep(0)
        assert await one(conn, "SELECT 1") == (1,)


@on_both_loops
async def test_a_copy_to_that_is_left(connected):
    async with connected() as conn:
        async with conn.cursor().copy("COPY (SELECT generate_series(1, 100000000)) TO STDOUT") as copy:
            assert await copy.read() == b"1\n"
        assert await one(conn, "SELECT 1") == (1,)
        with pytest.raises(kecoa.errors.DivisionByZero):
            async with conn.cursor().copy(
                "COPY (SELECT 1 / (n - 5) FROM generate_series(1, 9) n) TO STDOUT"
            ) as copy:
                async for _ in copy:
                    pass
        assert await one(conn, "SELECT 1") == (1,)


@looped
async def test_a_copy_that_is_cancelled(connected):
    async with connected() as conn:
        await conn.execute("CREATE TEMP TABLE t (n int)")

        async def write():
            async with conn.cursor().copy("COPY t FROM STDIN") as copy:
                await copy.write(b"1\n")
                await asyncio.sleep(60)

        async def read():
            async with conn.cursor().copy("COPY (SELECT pg_sleep(60)) TO STDOUT") as copy:
                await copy.read()

        for work in (write, read):
            task = asyncio.ensure_future(work())
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await one(conn, "SELECT count(*) FROM t") == (0,)


@looped
async def test_misuse(connected):
    async with connected() as conn:
        with pytest.raises(kecoa.ProgrammingError, match="another statement"):
            async with conn.cursor().copy("SELECT 1"):
                pass
        with pytest.raises(kecoa.errors.SyntaxError):
            async with conn.cursor().copy("COPY COPY"):
                pass
        copy = conn.cursor().copy("COPY (SELECT 1) TO STDOUT")
        for call in (copy.write(b""), copy.read()):
            with pytest.raises(kecoa.ProgrammingError, match="needs the block"):
                await call
        async with copy:
            with pytest.raises(kecoa.ProgrammingError, match="needs the block"):
                await copy.write(b"x")
        with pytest.raises(kecoa.ProgrammingError, match="would wait for itself"):
            async with conn.cursor().copy("COPY (SELECT 1) TO STDOUT"):
                await conn.execute("SELECT 1")
        # By execute: there is nobody to take the data.
        with pytest.raises(kecoa.ProgrammingError):
            await conn.execute("COPY (SELECT 1) TO STDOUT")
        assert await one(conn, "SELECT 1") == (1,)
