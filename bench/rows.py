#!/usr/bin/env python3
"""Rows taken one by one, by other cursors and from the server in portions, and the small steps around
them: kecoa beside psycopg2, on one server, in one run.

usage: rows.py --dsn 'host=/tmp port=5432 user=me dbname=me' [--drivers a,b] [--only w1,w2]

As drivers.py: a process a driver, rounds interleaved, medians. A call is a statement that gives 20,000 rows
of three columns, and the fetch of all of them; or a thousand check-outs of a pool's connection; or a thousand
changes of `autocommit` there and back. The tables show wall time, client CPU time, and each round as
a multiple of psycopg2's (below 1 is faster).
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import drivers
from workloads import ITERATED as ROWS

FACTORIES = {"tuple": None, "dict": "DictCursor", "realdict": "RealDictCursor", "named": "NamedTupleCursor"}


def fetch_for(cur: Any) -> None:
    for _ in cur:
        pass


def fetch_one(cur: Any) -> None:
    while cur.fetchone() is not None:
        pass


def fetch_many(cur: Any) -> None:
    while cur.fetchmany(100):
        pass


def fetch_all(cur: Any) -> None:
    cur.fetchall()


WAYS = {"for": fetch_for, "fetchone": fetch_one, "fetchmany": fetch_many, "fetchall": fetch_all}
#: How many rows a named cursor takes from the server at a time.
PORTIONS = (100, 2_000, 20_000)
WORKLOADS = [
    *(f"{way}_{factory}" for way in WAYS for factory in FACTORIES),
    *(f"named_by_{size}" for size in PORTIONS),
    "check_out",
    "autocommit",
]


def make(name: str, dsn: str) -> dict[str, Callable[[], Any]]:
    """The work of a driver."""
    driver, extras = importlib.import_module(name), importlib.import_module(f"{name}.extras")
    conn = driver.connect(dsn)
    work: dict[str, Callable[[], Any]] = {}
    for way, fetch in WAYS.items():
        for factory, cursor in FACTORIES.items():

            def run(fetch: Callable[[Any], None] = fetch, cursor: str | None = cursor) -> None:
                cur = conn.cursor(cursor_factory=getattr(extras, cursor)) if cursor else conn.cursor()
                cur.execute(ROWS)
                fetch(cur)

            work[f"{way}_{factory}"] = run

    for size in PORTIONS:

        def named(size: int = size) -> None:
            with conn.cursor("rows") as cur:
                cur.itersize = size
                cur.execute(ROWS)
                fetch_for(cur)

        work[f"named_by_{size}"] = named
    pool = importlib.import_module(f"{name}.pool").ThreadedConnectionPool(1, 2, dsn)

    def check_out() -> None:
        for _ in range(1_000):
            pool.putconn(pool.getconn())

    other = driver.connect(dsn)

    def autocommit() -> None:
        for _ in range(1_000):
            other.autocommit = True
            other.autocommit = False

    return work | {"check_out": check_out, "autocommit": autocommit}


def serve(name: str, dsn: str) -> None:
    """The child: read `workload seconds` lines, answer each with a line of JSON."""
    work = make(name, dsn)
    print(json.dumps({"ok": sorted(work)}), flush=True)
    for line in sys.stdin:
        workload, seconds = line.split()
        print(json.dumps(drivers.measure(work[workload], float(seconds), None)), flush=True)


def main() -> None:
    """The command line."""
    parser = drivers.options(__doc__ or "", ["psycopg2", "kecoa"])
    parser.set_defaults(starts=2)
    args = parser.parse_args()
    if args.child:
        serve(args.child, args.dsn)
        return
    medians = drivers.compare(args, lambda _: "psycopg2", WORKLOADS)
    drivers.show("rows: wall us", medians, lambda by, d: by[d]["wall"])
    drivers.show("rows: client CPU us", medians, lambda by, d: by[d]["cpu"])
    drivers.show("rows: wall / psycopg2", medians, lambda by, d: by[d].get("ratio"))
    drivers.save(medians, args.json)


if __name__ == "__main__":
    main()
