#!/usr/bin/env python3
"""SQLAlchemy on several drivers side by side on one server: a process each, rounds interleaved, medians.

usage: sqlalchemy_drivers.py --dsn 'host=/tmp port=5432 user=postgres dbname=postgres' [--rounds N]
                             [--drivers psycopg2,kecoa] [--only insert10k,...] [--json FILE]

Every driver runs the same code, with SQLAlchemy's default settings; kecoa-client is ?binding=client. Three
tables come out: medians of the time and of the client's processor time in milliseconds, and the time as a
multiple of psycopg2's (below 1 is faster).
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import decimal
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: name -> the dialect in the URL, whether it goes with create_async_engine, and further options of the URL
DRIVERS: dict[str, tuple[str, bool, dict[str, str]]] = {
    "psycopg2": ("postgresql+psycopg2", False, {}),
    "psycopg": ("postgresql+psycopg", False, {}),
    "asyncpg": ("postgresql+asyncpg", True, {}),
    "kecoa": ("postgresql+kecoa", False, {}),
    "kecoa-client": ("postgresql+kecoa", False, {"binding": "client"}),
    "kecoa-async": ("postgresql+kecoa", True, {}),
}
WORKLOADS = {
    "insert10k": "10,000 rows inserted by one execute()",
    "returning10k": "the same with RETURNING the key",
    "update5k": "5,000 rows updated by key by one execute()",
    "select50k": "50,000 rows of five columns selected",
    "iterate50k": "50,000 rows of five columns taken one by one",
    "get1k": "1,000 rows selected by key, one at a time",
}

Work = dict[str, Callable[[Any], None]]
#: wall, CPU
Times = tuple[float, float]


def workloads(sa: Any) -> tuple[Any, Work]:
    """The table, and what is measured by name: functions of a SQLAlchemy connection in a transaction."""
    table = sa.Table(
        "bench_sa", sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(50)),
        sa.Column("amount", sa.Numeric(12, 2)),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("flag", sa.Boolean),
    )  # fmt: skip
    now = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, datetime.timezone.utc)
    rows = [
        {"name": f"name number {n}", "amount": decimal.Decimal(n) / 100, "at": now, "flag": n % 2 == 0}
        for n in range(10_000)
    ]
    changes = [{"key": n * 7 + 1, "to": decimal.Decimal(n)} for n in range(5_000)]
    insert = table.insert()
    returning = insert.returning(table.c.id)
    update = table.update().where(table.c.id == sa.bindparam("key")).values(amount=sa.bindparam("to"))
    select = sa.select(table).where(table.c.id <= 50_000)
    get = sa.select(table).where(table.c.id == sa.bindparam("key"))

    def insert10k(conn: Any) -> None:
        conn.execute(insert, rows)

    def returning10k(conn: Any) -> None:
        assert len(conn.execute(returning, rows).all()) == len(rows)

    def update5k(conn: Any) -> None:
        conn.execute(update, changes)

    def select50k(conn: Any) -> None:
        assert len(conn.execute(select).all()) == 50_000

    def iterate50k(conn: Any) -> None:
        for _ in conn.execute(select):
            pass

    def get1k(conn: Any) -> None:
        for key in range(1, 1001):
            conn.execute(get, {"key": key}).one()

    work = (insert10k, returning10k, update5k, select50k, iterate50k, get1k)
    return table, {function.__name__: function for function in work}


def url(sa: Any, dialect: str, dsn: str) -> Any:
    """SQLAlchemy's URL for a plain keyword/value DSN."""
    pairs = dict(pair.split("=", 1) for pair in dsn.split())
    # asyncpg takes no folder of a socket as others do: all go through TCP, and without TLS.
    host = "127.0.0.1" if pairs["host"].startswith("/") else pairs["host"]
    query = {"ssl": "disable"} if dialect.endswith("asyncpg") else {"sslmode": "disable"}
    return sa.URL.create(
        dialect, pairs["user"], pairs.get("password"), host, int(pairs["port"]), pairs["dbname"], query
    )


def clocks(since: Times = (0.0, 0.0)) -> Times:
    """The milliseconds on the wall and of this process on the CPU, since an earlier answer."""
    return time.perf_counter() * 1000 - since[0], time.process_time() * 1000 - since[1]


def serve(name: str, dsn: str) -> None:
    """The child: read a workload a line, answer each with the times it took."""
    import sqlalchemy as sa

    _, work = workloads(sa)
    dialect, is_async, options = DRIVERS[name]
    address = url(sa, dialect, dsn).update_query_dict(options)
    if is_async:
        from sqlalchemy.ext.asyncio import create_async_engine

        loop = asyncio.new_event_loop()
        async_engine = create_async_engine(address)

        async def run_async(function: Callable[[Any], None]) -> Times:
            async with async_engine.connect() as conn:
                await conn.exec_driver_sql("SELECT 1")
                started = clocks()
                await conn.run_sync(function)
                took = clocks(started)
                await conn.rollback()
                return took

        def run(function: Callable[[Any], None]) -> Times:
            return loop.run_until_complete(run_async(function))

    else:
        engine = sa.create_engine(address)

        def run(function: Callable[[Any], None]) -> Times:
            with engine.connect() as conn:
                conn.exec_driver_sql("SELECT 1")
                started = clocks()
                function(conn)
                took = clocks(started)
                conn.rollback()
                return took

    for line in sys.stdin:
        gc.collect()
        try:
            answer: dict[str, Any] = {"ms": run(work[line.strip()])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), flush=True)


class Child:
    """A driver's process."""

    def __init__(self, name: str, dsn: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--dsn", dsn, "--serve", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, workload: str) -> Times:
        """Run a workload once; return the milliseconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(workload, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the process ended"}
        if "error" in answer:
            raise SystemExit(f"{self.name}, {workload}: {answer['error']}")
        wall, cpu = answer["ms"]
        return wall, cpu

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def prepare(dsn: str) -> None:
    """Make the table anew, with 60,000 rows."""
    import sqlalchemy as sa

    engine = sa.create_engine(url(sa, "postgresql+psycopg2", dsn))
    table, _ = workloads(sa)
    with engine.begin() as conn:
        table.drop(conn, checkfirst=True)
        table.create(conn)
        conn.exec_driver_sql(
            "INSERT INTO bench_sa (name, amount, at, flag)"
            " SELECT 'name number ' || n, n / 100.0, '2026-01-02 03:04:05.678901+00', mod(n, 2) = 0"
            " FROM generate_series(1, 60000) AS n"
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE bench_sa")
    engine.dispose()


def show(title: str, medians: dict[str, dict[str, float]], drivers: list[str], form: str) -> None:
    """Print a table, a workload a line."""
    print(f"\n{title:<14}" + "".join(f"{name:>13}" for name in drivers))
    for workload, found in medians.items():
        print(f"{workload:<14}" + "".join(format(found[name], form).rjust(13) for name in drivers))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--drivers", default=",".join(DRIVERS))
    parser.add_argument("--only", default=",".join(WORKLOADS))
    parser.add_argument("--json")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.dsn)
        return
    drivers, chosen = args.drivers.split(","), args.only.split(",")
    prepare(args.dsn)
    children = [Child(name, args.dsn) for name in drivers]
    took: dict[str, dict[str, list[Times]]] = {w: {name: [] for name in drivers} for w in chosen}
    # The first two rounds fill caches: SQLAlchemy's, the drivers', the server's.
    for at in range(-2, args.rounds):
        for workload in chosen:
            # Whoever goes first in a round pays for what the last one left behind; so they take turns.
            for child in children[at % len(children) :] + children[: at % len(children)]:
                times = child.ask(workload)
                if at >= 0:
                    took[workload][child.name].append(times)
    for child in children:
        child.stop()
    medians, cpu = (
        {
            workload: {
                name: statistics.median(times[clock] for times in all_) for name, all_ in found.items()
            }
            for workload, found in took.items()
        }
        for clock in (0, 1)
    )
    show("ms, median", medians, drivers, ".1f")
    show("CPU ms", cpu, drivers, ".1f")
    if "psycopg2" in drivers:
        ratios = {
            w: {name: found[name] / found["psycopg2"] for name in drivers} for w, found in medians.items()
        }
        show("x psycopg2", ratios, drivers, ".2f")
    if args.json:
        Path(args.json).write_text(json.dumps(medians))


if __name__ == "__main__":
    main()
