"""A connection of asyncio belongs to its loop: other threads are refused, and what they end the loop ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading

import pytest

import kecoa
import kecoa.aio
from tests.aio.loops import looped, run
from tests.threads import together


def elsewhere(coroutine_function):
    """Run a coroutine function in another thread, with an event loop of its own."""
    return asyncio.get_running_loop().run_in_executor(None, lambda: asyncio.run(coroutine_function()))


@looped
async def test_other_threads_are_refused(dsn):
    async with await kecoa.aio.connect(dsn) as conn:
        cur = await conn.execute("SELECT 1")

        async def use():
            for what in (
                lambda: conn.execute("SELECT 1"),
                lambda: conn.commit(),
                lambda: cur.execute("SELECT 1"),
                lambda: cur.executemany("SELECT %s", [(1,)]),
            ):
                with pytest.raises(RuntimeError, match="another event loop"):
                    await what()

        await elsewhere(use)
        # Nor without a loop.
        with pytest.raises(RuntimeError, match="another event loop"):
            await asyncio.get_running_loop().run_in_executor(None, conn._link.turn)
        assert (await (await conn.execute("SELECT 2")).fetchone()) == (2,)


@looped
async def test_a_stream_in_another_thread_is_refused(dsn):
    # In a transaction the savepoint of the stream could not be taken back there: the connection is closed.
    async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
        cur = conn.cursor()
        rows = cur.stream("SELECT g FROM generate_series(1, 100000) g")
        assert await anext(rows) == (1,)

        async def use():
            # Rows that have come already are given all the same.
            with pytest.raises(RuntimeError, match="another event loop"):
                async for _ in rows:
                    pass

        await elsewhere(use)
        assert (await (await conn.execute("SELECT 2")).fetchone()) == (2,)


@looped
async def test_a_connection_that_another_thread_closes(dsn):
    conn = await kecoa.aio.connect(dsn)
    waits = asyncio.ensure_future(conn.execute("SELECT pg_sleep(30)"))
    await asyncio.sleep(0.05)
    await elsewhere(conn.close)
    with pytest.raises(kecoa.OperationalError, match="closed"):
        await waits
    assert conn.closed


def test_loops_in_threads_of_their_own(dsn):
    async def use(number):
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            for _ in range(20):
                cur = await conn.execute("SELECT g, %s::int FROM generate_series(1, 20) g", (number,))
                assert await cur.fetchall() == [(g, number) for g in range(1, 21)]
            with pytest.raises(asyncio.TimeoutError):
                await conn.execute("SELECT pg_sleep(30)", timeout=0.05)

    before = threading.active_count()
    together(lambda number: run(use(number)))
    assert threading.active_count() <= before + 1


ENDS_WHILE_THE_LOOP_IS_WOKEN = """
import asyncio, os, sys, threading, time
import kecoa, kecoa.aio

class Loop(asyncio.SelectorEventLoop):
    def call_soon_threadsafe(self, callback, *args, context=None):
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if threading.current_thread() is not threading.main_thread():
            # Comes back again and again, so that one of them is while the interpreter ends.
            for _ in range(100):
                time.sleep(0.01)
        return handle

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.6)

async def main():
    conn = await kecoa.aio.connect(os.environ["DSN"])
    print(conn.closed)

# Taken down while the interpreter ends, which lets the thread try to come back.
slow = Slow()

loop = Loop()
loop.run_until_complete(main())
"""


def test_a_program_may_end_while_a_thread_of_ours_wakes_the_loop(dsn):
    done = subprocess.run(
        [sys.executable, "-c", ENDS_WHILE_THE_LOOP_IS_WOKEN],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DSN": dsn},
    )
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
