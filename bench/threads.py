#!/usr/bin/env python3
"""One row by its key, on 1, 8 and 32 threads at once, by unix socket and TCP; one server, one run.

usage: threads.py --dsn 'host=/tmp port=5432 user=me dbname=me' [--drivers a,b] [--only w1,w2]

As drivers.py: a process a driver, rounds interleaved, medians. Every thread has a connection of its own; a
time is that of one statement: wall time divided by the statements of all threads. `asleep` is kecoa with
`busy_poll=0`, which sleeps for every answer; `thousand` fetches 1,000 rows, an answer that comes too late to
be looked for. The tables show wall time, client CPU time, and each round as a multiple of psycopg2's (below 1
is faster).
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import drivers
import peers

THREADS = (1, 8, 32)
WORKLOADS = [f"{via}_{threads}" for via in ("unix", "tcp") for threads in THREADS]
WORKLOADS += ["unix_thousand", "tcp_thousand"]
POINT = "SELECT id, balance FROM b_acc WHERE id = %s"
THOUSAND = "SELECT id, balance FROM b_acc"


def opener(name: str, dsn: str) -> Callable[[], Any]:
    """What opens a connection of a driver."""
    options: dict[str, Any] = {}
    if name in ("server", "asleep"):
        options = {"binding": "server"} if name == "server" else {"busy_poll": 0}
        name = "kecoa"
    driver = importlib.import_module(name)

    def connect() -> Any:
        conn = driver.connect(dsn, **options)
        conn.autocommit = True
        return conn

    return connect


def point(conn: Any, end: float) -> int:
    """Run statements until `end`; how many."""
    n = 0
    while time.perf_counter() < end:
        n += 1
        cur = conn.cursor()
        cur.execute(POINT, (n % 1000 + 1,))
        cur.fetchone()
    return n


def thousand(conn: Any, end: float) -> int:
    """Run statements of 1,000 rows until `end`; how many."""
    n = 0
    while time.perf_counter() < end:
        n += 1
        cur = conn.cursor()
        cur.execute(THOUSAND)
        cur.fetchall()
    return n


def measure(run: Callable[[Any, float], int], conns: list[Any], seconds: float) -> dict[str, float]:
    """Run on a thread for each connection; microseconds a statement."""
    counts = [0] * len(conns)
    cpu, start = time.process_time(), time.perf_counter()
    end = start + seconds

    def work(number: int) -> None:
        counts[number] = run(conns[number], end)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(conns))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, n = time.perf_counter() - start, sum(counts)
    return {"wall": wall / n * 1e6, "cpu": (time.process_time() - cpu) / n * 1e6, "calls": n}


def serve(name: str, dsn: str) -> None:
    """The child: read `workload seconds` lines, answer each with a line of JSON."""
    tcp = " ".join(f"{key}={value}" for key, value in (peers.parse(dsn) | {"host": "127.0.0.1"}).items())
    try:
        openers = {"unix": opener(name, dsn), "tcp": opener(name, tcp)}
        openers["tcp"]().close()
    except Exception as e:
        print(json.dumps({"error": f"{type(e).__name__}: {e}"[:300]}), flush=True)
        return
    print(json.dumps({"ok": WORKLOADS}), flush=True)
    for line in sys.stdin:
        workload, seconds = line.split()
        via, what = workload.split("_")
        # Opened for a round and closed: all drivers together would have more than a server takes.
        conns = [openers[via]() for _ in range(1 if what == "thousand" else int(what))]
        answer = measure(thousand if what == "thousand" else point, conns, float(seconds))
        for conn in conns:
            conn.close()
        print(json.dumps(answer), flush=True)


def main() -> None:
    """The command line."""
    parser = drivers.options(__doc__ or "", ["psycopg2", "psycopg", "kecoa", "asleep", "server"])
    args = parser.parse_args()
    if args.child:
        serve(args.child, args.dsn)
        return
    medians = drivers.compare(args, lambda _: "psycopg2", WORKLOADS)
    drivers.show("threads: wall us", medians, lambda by, d: by[d]["wall"])
    drivers.show("threads: client CPU us", medians, lambda by, d: by[d]["cpu"])
    drivers.show("threads: wall / psycopg2", medians, lambda by, d: by[d].get("ratio"))
    drivers.save(medians, args.json)


if __name__ == "__main__":
    main()
