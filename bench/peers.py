"""One function a driver: a DSN in, the workloads as callables (or coroutine functions) out."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Callable
from typing import Any

import floor
from workloads import (
    BATCH,
    COPY,
    COPY_TEXT,
    FETCH,
    INSERT,
    INSERT_VALUES,
    ITERATED,
    ROW,
    TRANSFER,
    placeholders,
)

Work = dict[str, Callable[[], Any]]


def parse(dsn: str) -> dict[str, str]:
    """The pairs of a plain keyword/value DSN (no quotes)."""
    return dict(pair.split("=", 1) for pair in dsn.split())


def null(dsn: str) -> Work:
    """The floor, text."""
    return floor.null(parse(dsn))


def nullbin(dsn: str) -> Work:
    """The floor, binary."""
    return floor.nullbin(parse(dsn))


def _transfer_dbapi(conn: Any) -> Callable[[], None]:
    read, debit, credit = (placeholders(s, "%s") for s in TRANSFER)

    def transfer() -> None:
        conn.autocommit = False
        cur = conn.cursor()
        cur.execute(read, (1,))
        cur.fetchone()
        cur.execute(debit, (1, 1))
        cur.execute(credit, (1, 2))
        conn.commit()
        conn.autocommit = True

    return transfer


def _dbapi(conn: Any) -> Work:
    """The workloads that every DB-API driver runs with the same calls."""
    work: Work = {}
    for name, fetch in FETCH.items():

        def run(sql: str = fetch.text("%s"), args: Any = fetch.args or None) -> Any:
            cur = conn.cursor()
            # pg8000 takes no None for "no parameters".
            cur.execute(sql, args) if args else cur.execute(sql)
            return cur.fetchall()

        work[name] = run

    def iterate() -> None:
        cur = conn.cursor()
        cur.execute(ITERATED)
        for _ in cur:
            pass

    work["iterate20k"] = iterate
    insert = placeholders(INSERT, "%s")
    work["executemany1k"] = lambda: conn.cursor().executemany(insert, BATCH)

    def atomic() -> None:
        conn.autocommit = False
        conn.cursor().executemany(insert, BATCH)
        conn.commit()
        conn.autocommit = True

    work["atomic1k"] = atomic
    work["transfer"] = _transfer_dbapi(conn)
    return work


def psycopg2(dsn: str, module: str = "psycopg2", **options: str) -> Work:
    """psycopg2, or whatever answers to its interface."""
    driver, extras = importlib.import_module(module), importlib.import_module(f"{module}.extras")
    extras.register_uuid()
    conn = driver.connect(dsn, **options)
    conn.autocommit = True
    work = _dbapi(conn)
    work["execute_values1k"] = lambda: extras.execute_values(
        conn.cursor(), INSERT_VALUES, BATCH, page_size=len(BATCH)
    )
    work["copy10k"] = lambda: conn.cursor().copy_expert(COPY, io.StringIO(COPY_TEXT))
    work["connect"] = lambda: driver.connect(dsn, **options).close()
    return work


def kecoa(dsn: str) -> Work:
    """kecoa, through the same calls."""
    return psycopg2(dsn, "kecoa")


def kecoa_server(dsn: str) -> Work:
    """kecoa by server binding: statements that come again are prepared, and answered in binary form."""
    return psycopg2(dsn, "kecoa", binding="server")


def psycopg(dsn: str) -> Work:
    """psycopg 3."""
    import psycopg as driver

    conn = driver.connect(dsn, autocommit=True)
    work = _dbapi(conn)

    def copy() -> None:
        with conn.cursor().copy(COPY) as target:
            target.write(COPY_TEXT)

    work["copy10k"] = copy
    work["connect"] = lambda: driver.connect(dsn).close()
    return work


def pg8000(dsn: str) -> Work:
    """pg8000, pure Python."""
    import pg8000.dbapi as driver

    d = parse(dsn)
    where: dict[str, Any] = {"user": d["user"], "database": d["dbname"], "password": d.get("password")}
    if d["host"].startswith("/"):
        where["unix_sock"] = f"{d['host']}/.s.PGSQL.{d['port']}"
    else:
        where |= {"host": d["host"], "port": int(d["port"])}
    conn = driver.connect(**where)
    conn.autocommit = True
    work = _dbapi(conn)
    work["copy10k"] = lambda: conn.cursor().execute(COPY, stream=io.StringIO(COPY_TEXT))
    work["connect"] = lambda: driver.connect(**where).close()
    return work


def asyncpg_options(dsn: str) -> dict[str, Any]:
    """What asyncpg calls the parts of a DSN."""
    d = parse(dsn)
    return {
        "host": d["host"], "port": int(d["port"]), "user": d["user"], "database": d["dbname"],
        "password": d.get("password"), "ssl": False,
    }  # fmt: skip


async def asyncpg(dsn: str) -> Work:
    """asyncpg."""
    import asyncpg as driver

    where = asyncpg_options(dsn)
    conn = await driver.connect(**where)
    # Objects, as the others give them, not text.
    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    work: Work = {}
    for name, fetch in FETCH.items():

        async def run(sql: str = fetch.text("$"), args: Any = fetch.args) -> Any:
            return await conn.fetch(sql, *args)

        work[name] = run

    async def iterate() -> None:
        # Its cursors are of the server's, and need a transaction.
        for _ in await conn.fetch(ITERATED):
            pass

    work["iterate20k"] = iterate
    insert = placeholders(INSERT, "$")

    async def many() -> None:
        await conn.executemany(insert, BATCH)

    records = [ROW] * 10_000

    async def copy() -> None:
        await conn.copy_records_to_table("b_copy", records=records)

    read, debit, credit = (placeholders(s, "$") for s in TRANSFER)

    async def transfer() -> None:
        async with conn.transaction():
            await conn.fetchval(read, 1)
            await conn.execute(debit, 1, 1)
            await conn.execute(credit, 1, 2)

    async def connect() -> None:
        await (await driver.connect(**where)).close()

    # Its executemany is one transaction.
    return work | {
        "executemany1k": many, "atomic1k": many, "copy10k": copy, "transfer": transfer, "connect": connect,
    }  # fmt: skip


async def psqlpy(dsn: str) -> Work:
    """psqlpy, a Rust driver for asyncio."""
    import psqlpy as driver

    d = parse(dsn)
    pool = driver.ConnectionPool(
        host=d["host"], port=int(d["port"]), username=d["user"], db_name=d["dbname"],
        password=d.get("password"), max_db_pool_size=2,
    )  # fmt: skip
    conn = await pool.connection()
    work: Work = {}
    for name, fetch in FETCH.items():

        async def run(sql: str = fetch.text("$"), args: Any = fetch.args) -> Any:
            return (await conn.execute(sql, list(args))).result()

        work[name] = run
    insert, rows = placeholders(INSERT, "$"), [list(ROW)] * len(BATCH)

    async def many() -> None:
        await conn.execute_many(insert, rows)

    read, debit, credit = (placeholders(s, "$") for s in TRANSFER)

    async def transfer() -> None:
        async with conn.transaction() as tx:
            await tx.fetch_val(read, [1])
            await tx.execute(debit, [1, 1])
            await tx.execute(credit, [1, 2])

    return work | {"executemany1k": many, "transfer": transfer}


ALL = {
    f.__name__: f for f in (null, nullbin, psycopg2, psycopg, asyncpg, pg8000, psqlpy, kecoa, kecoa_server)
}  # fmt: skip
