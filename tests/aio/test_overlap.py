"""Rows that are made while others of their result are awaited, in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import kecoa.aio
from kecoa import errors
from tests.aio.fake import FakeServer, Peer, error, ready
from tests.overlap import INT4, TEXT, bound, cut, described, made, overlap, result, row

ROWS = [[str(n), f"né {n}" * (n % 5)] for n in range(40)]


@pytest.fixture(autouse=True)
def always() -> Iterator[None]:
    """Rows are made at every chance."""
    with overlap("always"):
        yield


def dripping(parts: list[bytes]) -> FakeServer:
    """Answers the first statement in pieces, and the others with nothing."""

    async def script(peer: Peer) -> None:
        await peer.statement()
        for part in parts:
            peer.send(part)
            await peer.writer.drain()
            await asyncio.sleep(0.05)
        while True:
            await peer.statement()
            peer.answer("SELECT 0")

    return FakeServer(script)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", ["fetchall", "fetchone", "fetchmany", "iteration"])
def test_rows_are_the_same(way: str, seed: int) -> None:
    async def run(mode: str) -> Any:
        with overlap(mode), made(1 if mode == "always" else 0):
            async with dripping(cut(bound(result([INT4, TEXT], ROWS)), seed)).running() as server:
                conn = await kecoa.aio.connect(server.dsn, autocommit=True)
                cur = await conn.execute("SELECT some")
                assert cur.rowcount == len(ROWS)
                if way == "fetchall":
                    rows = await cur.fetchall()
                elif way == "fetchmany":
                    rows = [await cur.fetchmany(7) for _ in range(8)]
                elif way == "fetchone":
                    rows = [await cur.fetchone() for _ in range(len(ROWS) + 1)]
                else:
                    rows = [one async for one in cur]
                await conn.close()
                return rows

    assert asyncio.run(run("never")) == asyncio.run(run("always"))


def test_the_server_s_error_drops_the_rows() -> None:
    async def run() -> None:
        rows = b"".join(map(row, ROWS))
        parts = [bound(described([INT4, TEXT])) + rows, error("22012", "division by zero") + ready()]
        async with dripping(parts).running() as server:
            conn = await kecoa.aio.connect(server.dsn, autocommit=True)
            cur = conn.cursor()
            with made(len(ROWS)), pytest.raises(errors.DivisionByZero):
                await cur.execute("SELECT some")
            assert cur.description is None
            with pytest.raises(kecoa.ProgrammingError, match="no results to fetch"):
                await cur.fetchall()
            await cur.execute("SELECT other")
            assert cur.statusmessage == "SELECT 0"
            await conn.close()

    asyncio.run(run())


def test_a_task_that_is_cancelled_leaves_nothing() -> None:
    async def run() -> None:
        parts = [bound(described([INT4, TEXT])) + row(ROWS[0]), *[row(one) for one in ROWS]]

        async def script(peer: Peer) -> None:
            await peer.statement()
            for part in parts:
                peer.send(part)
                await asyncio.sleep(0.01)
            while not server.cancels:
                await asyncio.sleep(0.01)
            peer.send(error("57014", "canceling statement due to user request"), ready())
            while True:
                await peer.statement()
                peer.answer("SELECT 0")

        server = FakeServer(script)
        async with server.running():
            conn = await kecoa.aio.connect(server.dsn, autocommit=True)
            cur = conn.cursor()
            with made(1):
                task = asyncio.create_task(cur.execute("SELECT some"))
                await asyncio.sleep(0.3)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            cur = await conn.execute("SELECT other")
            assert cur.statusmessage == "SELECT 0"
            await conn.close()

    asyncio.run(run())


def test_a_prepared_statement(connected: Callable[..., Any]) -> None:
    async def run() -> None:
        async with connected() as conn:
            seen = []
            for turn in range(5):
                with made(0 if turn == 0 else 1):
                    cur = await conn.execute(
                        "SELECT i, i::text, ARRAY[i] FROM generate_series(1, %s) i", (50_000,)
                    )
                seen.append(await cur.fetchall())
            assert all(one == seen[0] for one in seen)

    asyncio.run(run())
