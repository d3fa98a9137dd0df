#!/usr/bin/env python3
"""asyncio drivers side by side on one server, each on asyncio's own event loop and on uvloop.

usage: asyncio_drivers.py --dsn 'host=/tmp port=5432 user=me dbname=me' [--drivers a,b] [--only w1,w2]

As drivers.py: a process a driver, rounds interleaved, medians, one run. The tables show wall time, client CPU
time, and each round as a multiple of asyncpg's on the same event loop (below 1 is faster). `null` sends ready
bytes, waits through add_reader, looks at no row: what the event loop itself costs.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import drivers
import floor
import peers
import workloads
from workloads import BATCH, COPY, COPY_TEXT, FETCH, INSERT, ITERATED, TRANSFER, placeholders

Work = dict[str, Callable[[], Awaitable[Any]]]


class Echo:
    """The floor: a socket in the event loop, and one future a round trip."""

    def __init__(self, wire: floor.Wire) -> None:
        self.socket: socket.socket = wire.socket
        self.socket.setblocking(False)
        self.buffer = bytearray(1 << 20)
        self.view = memoryview(self.buffer)
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.loop.add_reader(self.socket.fileno(), self.read)

    def read(self) -> None:
        n = self.socket.recv_into(self.view)
        if n >= 6 and self.buffer[n - 6 : n - 1] == b"Z\0\0\0\5":
            self.future.set_result(None)

    async def call(self, message: bytes) -> None:
        self.future = self.loop.create_future()
        self.socket.send(message)
        await self.future


async def null(dsn: str) -> Work:
    """Bind, Execute, Sync of a prepared statement, binary results."""
    wire = floor.Wire(peers.parse(dsn))
    work: Work = {}
    messages = {}
    for name, fetch in FETCH.items():
        statement = name.encode()
        parse = floor.message(b"P", statement + b"\0" + fetch.literal().encode() + b"\0\0\0")
        wire.call(parse + floor.message(b"S", b""))
        bind = b"\0" + statement + b"\0" + struct.pack("!HHHH", 0, 0, 1, 1)
        run = floor.message(b"B", bind) + floor.message(b"E", b"\0\0\0\0\0") + floor.message(b"S", b"")
        messages[name] = run
    echo = Echo(wire)
    for name, message in messages.items():
        work[name] = lambda message=message: echo.call(message)
    return work


def _psycopg_like(conn: Any) -> Work:
    """The workloads of psycopg 3's calls, which are kecoa's, too."""
    work: Work = {}
    for name, fetch in FETCH.items():

        async def run(sql: str = fetch.text("%s"), args: Any = fetch.args or None) -> Any:
            cur = await conn.execute(sql, args)
            return await cur.fetchall()

        work[name] = run

    async def iterate() -> None:
        async for _ in await conn.execute(ITERATED):
            pass

    work["iterate20k"] = iterate
    insert = placeholders(INSERT, "%s")

    async def many() -> None:
        await conn.cursor().executemany(insert, BATCH)

    async def copy() -> None:
        async with conn.cursor().copy(COPY) as target:
            await target.write(COPY_TEXT)

    read, debit, credit = (placeholders(s, "%s") for s in TRANSFER)

    async def transfer() -> None:
        async with conn.transaction():
            cur = await conn.execute(read, (1,))
            await cur.fetchone()
            await conn.execute(debit, (1, 1))
            await conn.execute(credit, (1, 2))

    return work | {"executemany1k": many, "copy10k": copy, "transfer": transfer}


async def asyncpg(dsn: str) -> Work:
    """asyncpg, and its pool."""
    import asyncpg as driver

    pool = await driver.create_pool(**peers.asyncpg_options(dsn), min_size=1, max_size=1)
    sql, args = FETCH["point"].text("$"), FETCH["point"].args

    async def check_out() -> None:
        async with pool.acquire() as conn:
            await conn.fetch(sql, *args)

    return {**await peers.asyncpg(dsn), "pool_point": check_out}


async def psycopg(dsn: str) -> Work:
    """psycopg 3."""
    import psycopg as driver

    conn = await driver.AsyncConnection.connect(dsn, autocommit=True)

    async def connect() -> None:
        await (await driver.AsyncConnection.connect(dsn)).close()

    return {**_psycopg_like(conn), "connect": connect}


async def kecoa(dsn: str) -> Work:
    """kecoa.aio."""
    import kecoa.aio as driver
    import kecoa.extras

    kecoa.extras.register_uuid()
    conn = await driver.connect(dsn, autocommit=True)

    async def connect() -> None:
        await (await driver.connect(dsn)).close()

    pool = driver.AsyncConnectionPool(dsn, min_size=1, max_size=1, kwargs={"autocommit": True})
    await pool.open(wait=True)
    sql, args = FETCH["point"].text("%s"), FETCH["point"].args

    async def check_out() -> None:
        async with pool.connection() as conn:
            await (await conn.execute(sql, args)).fetchall()

    return {**_psycopg_like(conn), "connect": connect, "pool_point": check_out}


MAKERS: dict[str, Callable[[str], Awaitable[Work]]] = {
    "null": null,
    "asyncpg": asyncpg,
    "psycopg": psycopg,
    "kecoa": kecoa,
}
LOOPS = ("asyncio", "uvloop")
ALL = [f"{driver}/{loop}" for loop in LOOPS for driver in MAKERS]


def serve(name: str, dsn: str) -> None:
    """The child: read `workload seconds` lines, answer each with a line of JSON."""
    driver, _, kind = name.partition("/")
    try:
        if kind == "uvloop":
            import uvloop

            loop = uvloop.new_event_loop()
        else:
            loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        work = loop.run_until_complete(MAKERS[driver](dsn))
    except Exception as e:
        print(json.dumps({"error": f"{type(e).__name__}: {e}"[:300]}), flush=True)
        return
    print(json.dumps({"ok": sorted(work)}), flush=True)
    for line in sys.stdin:
        workload, seconds = line.split()
        try:
            answer: dict[str, Any] = {"skip": True}
            if workload in work:
                answer = drivers.measure(work[workload], float(seconds), loop)
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"[:300]}
        print(json.dumps(answer), flush=True)


def show(title: str, medians: drivers.Medians, value: Callable[[Any, str], float | None]) -> None:
    """One table an event loop."""
    for kind in LOOPS:
        here = {
            workload: {d.partition("/")[0]: v for d, v in by_driver.items() if d.endswith(f"/{kind}")}
            for workload, by_driver in medians.items()
        }
        drivers.show(f"{title}, {kind}", here, value)


def main() -> None:
    """The command line."""
    args = drivers.options(__doc__ or "", ALL).parse_args()
    if args.child:
        serve(args.child, args.dsn)
        return
    # `execute_values` is psycopg2's alone; what `executemany` sends at once is one transaction here.
    blocking = ("execute_values1k", "atomic1k")
    every = [workload for workload in workloads.ALL if workload not in blocking] + ["pool_point"]
    medians = drivers.compare(args, lambda driver: "asyncpg/" + driver.partition("/")[2], every)
    show("wall us", medians, lambda by, d: by[d]["wall"])
    show("client CPU us", medians, lambda by, d: by[d]["cpu"])
    show("wall / asyncpg", medians, lambda by, d: by[d].get("ratio"))
    drivers.save(medians, args.json)


if __name__ == "__main__":
    main()
