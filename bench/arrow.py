#!/usr/bin/env python3
"""Results as Arrow tables: kecoa beside ADBC, on one server, in one run.

usage: arrow.py --dsn 'host=/tmp port=5432 user=me dbname=me' [--drivers a,b] [--only w1,w2]

As drivers.py: a process a driver, rounds interleaved, medians. A call is a statement, and its rows as a
pyarrow.Table. The tables show wall time, client CPU time, and each round as a multiple of ADBC's (below 1 is
faster).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import drivers
import peers

FETCH = {
    "numbers": "SELECT i::int8 AS a, i AS b, i * 1.5::float8 AS c FROM generate_series(1, 200000) AS i",
    "mixed": (
        "SELECT i AS a, 'row number ' || i AS b, i * 1.5::float8 AS c, i % 2 = 0 AS d,"
        " '2024-01-01'::timestamptz + i * interval '1 minute' AS e FROM generate_series(1, 200000) AS i"
    ),
    "text": "SELECT t FROM b_texts",
    "text_arrays": "SELECT a FROM b_tags",
}


def adbc(dsn: str) -> dict[str, Callable[[], Any]]:
    """ADBC's driver for PostgreSQL."""
    from adbc_driver_postgresql import dbapi

    d = peers.parse(dsn)
    password = f"&password={d['password']}" if "password" in d else ""
    host, port = d["host"], d["port"]
    conn = dbapi.connect(f"postgresql:///{d['dbname']}?host={host}&port={port}&user={d['user']}{password}")

    def run(sql: str) -> Any:
        with conn.cursor() as cur:
            cur.execute(sql)
            return cur.fetch_arrow_table()

    return {name: lambda sql=sql: run(sql) for name, sql in FETCH.items()}


def kecoa_in_one(dsn: str) -> dict[str, Callable[[], Any]]:
    """`execute_arrow`."""
    import pyarrow as pa

    import kecoa

    conn = kecoa.connect(dsn)
    conn.autocommit = True

    def run(sql: str) -> Any:
        return pa.table(conn.cursor().execute_arrow(sql))

    return {name: lambda sql=sql: run(sql) for name, sql in FETCH.items()}


def kecoa_fetch(dsn: str) -> dict[str, Callable[[], Any]]:
    """`execute`, then `fetch_arrow`."""
    import pyarrow as pa

    import kecoa

    conn = kecoa.connect(dsn)
    conn.autocommit = True

    def run(sql: str) -> Any:
        cur = conn.cursor()
        cur.execute(sql)
        return pa.table(cur.fetch_arrow())

    return {name: lambda sql=sql: run(sql) for name, sql in FETCH.items()}


MAKERS = {"adbc": adbc, "kecoa": kecoa_in_one, "kecoa_fetch": kecoa_fetch}


def serve(name: str, dsn: str) -> None:
    """The child: read `workload seconds` lines, answer each with a line of JSON."""
    try:
        work = MAKERS[name](dsn)
    except Exception as e:
        print(json.dumps({"error": f"{type(e).__name__}: {e}"[:300]}), flush=True)
        return
    print(json.dumps({"ok": sorted(work)}), flush=True)
    for line in sys.stdin:
        workload, seconds = line.split()
        try:
            answer = drivers.measure(work[workload], float(seconds), None)
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"[:300]}
        print(json.dumps(answer), flush=True)


def main() -> None:
    """The command line."""
    parser = drivers.options(__doc__ or "", list(MAKERS))
    parser.set_defaults(starts=2)
    args = parser.parse_args()
    if args.child:
        serve(args.child, args.dsn)
        return
    medians = drivers.compare(args, lambda _: "adbc", list(FETCH))
    drivers.show("arrow: wall us", medians, lambda by, d: by[d]["wall"])
    drivers.show("arrow: client CPU us", medians, lambda by, d: by[d]["cpu"])
    drivers.show("arrow: wall / ADBC", medians, lambda by, d: by[d].get("ratio"))
    drivers.save(medians, args.json)


if __name__ == "__main__":
    main()
