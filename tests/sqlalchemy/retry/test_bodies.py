"""Bodies that end their transaction by themselves, hide an error or would run after COMMIT."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import sqlalchemy as sa
from sqlalchemy.ext import asyncio as sa_asyncio

import kecoa
from kecoa.sqlalchemy import run_transaction
from tests.sqlalchemy.retry.bench import insert


def test_a_body_that_swallows_an_error_is_not_committed(bench):
    def body(conn):
        insert(conn, "quiet")
        with contextlib.suppress(sa.exc.DBAPIError):
            conn.execute(sa.text("SELECT 1/0"))

    bench.strike(0)
    with pytest.raises(kecoa.ProgrammingError, match="Let the error leave the body"):
        bench.run("core", body)
    with pytest.raises(kecoa.ProgrammingError, match="Let the error leave the body"):
        bench.run("orm", body)
    assert bench.rows("quiet") == []


def test_an_error_inside_a_savepoint_may_be_caught(bench, kind):
    def body(handle):
        insert(handle, "quiet")
        with contextlib.suppress(sa.exc.DBAPIError), handle.begin_nested():
            handle.execute(sa.text("SELECT 1/0"))

    bench.strike(0)
    bench.run(kind, body)
    assert bench.rows("quiet") == [(1, "moved")]


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_body_that_ends_its_transaction_is_noticed(bench, kind, end):
    def body(handle):
        insert(handle, "quiet")
        getattr(handle, end)()

    bench.strike(0)
    with pytest.raises(kecoa.ProgrammingError, match="Leave COMMIT to run_transaction"):
        bench.run(kind, body)


def test_what_was_committed_by_the_body_is_not_done_twice(bench, kind):
    def body(handle):
        insert(handle, "quiet")
        handle.commit()
        handle.execute(sa.text("SELECT strike()"))

    bench.strike(1)
    with pytest.raises(sa.exc.DBAPIError) as caught:
        bench.run(kind, body)
    assert bench.decisions == ["give_up"]
    assert bench.rows("quiet") == [(1, "moved")]
    if hasattr(caught.value, "__notes__"):
        assert "ended its transaction by itself" in caught.value.__notes__[-1]


def test_bodies_that_would_run_after_commit_are_refused(engine):
    def generates(conn):
        conn.execute(sa.text("SELECT 1"))
        yield 1

    async def waits(conn):
        raise AssertionError

    class Waits:
        async def __call__(self, conn):
            raise AssertionError

    with pytest.raises(TypeError, match="generator function"):
        run_transaction(engine, generates)
    for body in (lambda conn: (n for n in range(3)), lambda conn: waits(conn), Waits()):
        with pytest.raises(TypeError, match="Nothing is committed"):
            run_transaction(engine, body)
    with engine.connect() as conn:
        assert conn.execute(sa.text("SELECT 1")).scalar() == 1


def test_coroutines_that_return_what_would_run_after_commit_are_refused(url):
    async def rows():
        yield 1

    async def later():
        raise AssertionError

    async def main():
        async_engine = sa_asyncio.create_async_engine(url.set(drivername="postgresql+kecoa"))

        async def gives_rows(conn):
            return rows()

        async def gives_coroutine(conn):
            return later()

        async def gives_connection(conn):
            return conn

        for body in (gives_rows, gives_coroutine):
            with pytest.raises(TypeError, match="Nothing is committed"):
                await run_transaction(async_engine, body)
        # It can be awaited, but is nothing that runs.
        assert (await run_transaction(async_engine, gives_connection)).closed
        with pytest.raises(TypeError, match="generator function"):
            await run_transaction(async_engine, rows_of)
        await async_engine.dispose()

    async def rows_of(conn):
        yield 1

    asyncio.run(main())


def test_functions_and_coroutine_functions_are_not_mixed_up(url, engine):
    async def coroutine(conn):
        raise AssertionError

    with pytest.raises(TypeError, match="it needs an AsyncEngine"):
        run_transaction(engine, coroutine)

    async def main():
        async_engine = sa_asyncio.create_async_engine(url.set(drivername="postgresql+asyncpg"))
        with pytest.raises(TypeError, match="expected a coroutine function"):
            await run_transaction(async_engine, lambda conn: 1)
        await async_engine.dispose()

    asyncio.run(main())
