"""Bodies that would run when their transaction is over are refused, and nothing is committed."""

from __future__ import annotations

import asyncio
import contextlib
import functools

import pytest

import kecoa
import kecoa.aio
from kecoa.aio import AsyncConnectionPool, run_transaction, transactional
from tests.aio.loops import looped

ran = []


async def work(conn):
    ran.append(conn)
    await conn.execute("SELECT 1")


async def async_generator(conn):
    ran.append(conn)
    yield 1


def generator(conn):
    ran.append(conn)
    yield 1


async def returns_a_coroutine(conn):
    return work(conn)


async def returns_a_generator(conn):
    return generator(conn)


async def returns_an_async_generator(conn):
    return async_generator(conn)


async def returns_a_stream(conn):
    return conn.cursor().stream("SELECT 1")


async def returns_a_task(conn):
    return asyncio.ensure_future(asyncio.sleep(10))


@contextlib.contextmanager
def context_manager(conn):
    ran.append(conn)
    yield


async def returns_a_context_manager(conn):
    return context_manager(conn)


class Later:
    def __await__(self):
        ran.append(self)
        yield


async def returns_an_awaitable(conn):
    return Later()


def blocking(conn):
    return None


class Callable:
    async def __call__(self, conn):
        yield 1


LAZY = [
    async_generator,
    generator,
    functools.partial(async_generator),
    Callable(),
    returns_a_coroutine,
    returns_a_generator,
    returns_an_async_generator,
    returns_a_stream,
    returns_a_task,
    returns_an_awaitable,
    returns_a_context_manager,
    blocking,
    lambda conn: generator(conn),
]


@pytest.mark.parametrize("body", LAZY, ids=lambda body: getattr(body, "__name__", type(body).__name__))
@looped
async def test_bodies_that_run_later(dsn, connected, body):
    ran.clear()
    async with connected() as conn:
        before = conn._commits
        with pytest.raises(TypeError, match="expected"):
            await run_transaction(conn, body)
        assert conn._commits == before
        assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_IDLE
        assert conn.autocommit
    async with AsyncConnectionPool(dsn, min_size=1) as pool:
        await pool.wait()
        with pytest.raises(TypeError, match="expected"):
            await run_transaction(pool, body)
        assert pool.stats()["pool_available"] == 1
    if asyncio.iscoroutinefunction(body):
        with pytest.raises(TypeError, match="would run after COMMIT"):
            await transactional(body)(lambda: kecoa.aio.connect(dsn))
    else:
        with pytest.raises(TypeError, match="expected"):
            transactional(body)
    assert not ran


@looped
async def test_what_is_done_may_be_returned(connected):
    async def body(conn):
        task = asyncio.ensure_future(asyncio.sleep(0, "slept"))
        await task
        return task

    async with connected() as conn:
        assert (await run_transaction(conn, body)).result() == "slept"


@looped
async def test_blocking_connections_are_refused(dsn):
    """Before anything is committed by a method that is not awaited."""
    with contextlib.closing(kecoa.connect(dsn)) as conn:
        with pytest.raises(TypeError, match=r"use kecoa\.run_transaction"):
            await run_transaction(conn, work)
        with pytest.raises(TypeError, match="returned connection"):
            await run_transaction(lambda: conn, work)
    with kecoa.pool.Pool(dsn, min_size=0, max_size=1) as pool, pytest.raises(TypeError, match="not awaited"):
        await run_transaction(pool, work)


def test_the_blocking_forms(conn):
    for body in (async_generator, generator, functools.partial(generator), work, context_manager):
        with pytest.raises(TypeError, match="expected"):
            kecoa.run_transaction(conn, body)
    for body in (lambda conn: work(conn), lambda conn: generator(conn), lambda conn: async_generator(conn)):
        before = conn._commits
        with pytest.raises(TypeError, match="would run after COMMIT"):
            kecoa.run_transaction(conn, body)
        assert conn._commits == before
