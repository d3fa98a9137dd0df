#!/usr/bin/env python3
"""PyMongo on the gateway beside its own cost, and beside the same work in SQL; one server, one run.

usage: pymongo_drivers.py --dsn 'host=/tmp port=5432 user=me dbname=me' [--drivers a,b] [--only w1,w2]

As bench/drivers.py: a process a driver, rounds interleaved, medians. `null` is PyMongo on a server with ready
replies. `kecoa` and `psycopg2` keep the same documents as JSONB in a table of their own: a row a document, an
index on one field. The tables show wall time, client CPU time, and each round as a multiple of psycopg2's
(below 1 is faster) and of `null`'s.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import documents
import drivers
from documents import MANY, RANGE, SCANNED

Work = dict[str, Callable[[], Any]]
WORKLOADS = (
    "find_one",
    "insert_one",
    "update_one",
    "insert10k",
    "list10k",
    "range100",
    "update10k",
    "transaction",
    "filter100k",
)
# Those that add: their collection is emptied between rounds.
ADDING = ("insert_one", "insert10k")


class Numbers:
    """Ids of documents that are not there yet."""

    def __init__(self) -> None:
        self.next = 10_000_000

    def take(self, count: int = 1) -> int:
        self.next += count
        return self.next - count


def pymongo(url: str, *, fill: bool) -> Work:
    """PyMongo on the server at `url`."""
    from pymongo import MongoClient

    client: MongoClient[dict[str, Any]] = MongoClient(url)
    there, added, scanned = (client.bench[name] for name in ("documents", "added", "scanned"))
    if fill:
        for collection in (there, added, scanned):
            collection.drop()
        there.create_index("number")
        added.create_index("number")
        there.insert_many([documents.document(number) for number in range(MANY)])
        for start in range(0, SCANNED, MANY):
            scanned.insert_many([documents.small(number) for number in range(start, start + MANY)])
    numbers = Numbers()

    def insert_one() -> None:
        added.insert_one(documents.document(numbers.take()))

    def insert_many() -> None:
        first = numbers.take(MANY)
        added.insert_many([documents.document(number) for number in range(first, first + MANY)])

    def transaction() -> None:
        with client.start_session() as session, session.start_transaction():
            there.find_one({"_id": 1}, session=session)
            there.update_one({"_id": 1}, {"$inc": {"balance": -1}}, session=session)
            there.update_one({"_id": 2}, {"$inc": {"balance": 1}}, session=session)
            there.find_one({"_id": 2}, session=session)

    return {
        "find_one": lambda: there.find_one({"_id": 4321}),
        "insert_one": insert_one,
        "update_one": lambda: there.update_one({"_id": 4321}, {"$inc": {"balance": 1}}),
        "insert10k": insert_many,
        "list10k": lambda: list(there.find()),
        "range100": lambda: list(there.find({"number": {"$gte": 5000, "$lt": 5000 + RANGE}}).sort("number")),
        "update10k": lambda: there.update_many({}, {"$inc": {"balance": 1}}),
        "transaction": transaction,
        "filter100k": lambda: list(scanned.find({"a": 1000})),
        "empty": lambda: added.delete_many({}),
    }


SETUP = """
DROP SCHEMA IF EXISTS {schema} CASCADE;
CREATE SCHEMA {schema};
SET search_path = {schema};
CREATE TABLE documents (id INT8 PRIMARY KEY, number INT8, doc JSONB);
CREATE TABLE added (id INT8 PRIMARY KEY, number INT8, doc JSONB);
CREATE TABLE scanned (id INT8 PRIMARY KEY, doc JSONB);
CREATE INDEX ON documents (number);
CREATE INDEX ON added (number);
"""
INCREMENT = "UPDATE documents SET doc = jsonb_set(doc, '{balance}', to_jsonb((doc->>'balance')::float8 + %s))"


def sql(driver: Any, execute_values: Any, dsn: str) -> Work:
    """The same work in SQL, by psycopg2's calls."""
    conn = driver.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute(SETUP.format(schema=f"bench_{driver.__name__}"))

    def rows(first: int, count: int) -> list[tuple[int, int, str]]:
        return [(n, n, json.dumps(documents.document(n))) for n in range(first, first + count)]

    def insert(table: str, first: int, count: int) -> None:
        execute_values(cur, f"INSERT INTO {table} VALUES %s", rows(first, count), page_size=1000)

    insert("documents", 0, MANY)
    small = [(n, json.dumps(documents.small(n))) for n in range(SCANNED)]
    execute_values(cur, "INSERT INTO scanned VALUES %s", small, page_size=1000)
    numbers = Numbers()

    def fetch(statement: str, args: tuple[Any, ...] = ()) -> Any:
        cur.execute(statement, args or None)
        return cur.fetchall()

    def insert_one() -> None:
        (row,) = rows(numbers.take(), 1)
        cur.execute("INSERT INTO added VALUES (%s, %s, %s)", row)

    def transaction() -> None:
        cur.execute("BEGIN")
        fetch("SELECT doc FROM documents WHERE id = %s", (1,))
        cur.execute(INCREMENT + " WHERE id = %s", (-1, 1))
        cur.execute(INCREMENT + " WHERE id = %s", (1, 2))
        fetch("SELECT doc FROM documents WHERE id = %s", (2,))
        cur.execute("COMMIT")

    in_range = "SELECT doc FROM documents WHERE number >= %s AND number < %s ORDER BY number"
    return {
        "find_one": lambda: fetch("SELECT doc FROM documents WHERE id = %s", (4321,)),
        "insert_one": insert_one,
        "update_one": lambda: cur.execute(INCREMENT + " WHERE id = %s", (1, 4321)),
        "insert10k": lambda: insert("added", numbers.take(MANY), MANY),
        "list10k": lambda: fetch("SELECT doc FROM documents"),
        "range100": lambda: fetch(in_range, (5000, 5000 + RANGE)),
        "update10k": lambda: cur.execute(INCREMENT, (1,)),
        "transaction": transaction,
        "filter100k": lambda: fetch("SELECT doc FROM scanned WHERE (doc->>'a')::int = 1000"),
        "empty": lambda: cur.execute("TRUNCATE added"),
    }


def make(name: str, where: str) -> Work:
    """The work of a driver; `where` is a URL or a connection string."""
    if name in ("gateway", "null"):
        return pymongo(where, fill=name == "gateway")
    if name == "psycopg2":
        import psycopg2.extras

        return sql(psycopg2, psycopg2.extras.execute_values, where)
    import kecoa.extras

    return sql(kecoa, kecoa.extras.execute_values, where)


def serve(name: str, where: str) -> None:
    """The child: read `workload seconds` lines, answer each with a line of JSON."""
    try:
        work = make(name, where)
    except Exception as e:
        print(json.dumps({"error": f"{type(e).__name__}: {e}"[:300]}), flush=True)
        return
    print(json.dumps({"ok": sorted(work)}), flush=True)
    for line in sys.stdin:
        workload, seconds = line.split()
        try:
            if workload in ADDING:
                work["empty"]()
            answer: dict[str, Any] = drivers.measure(work[workload], float(seconds), None)
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"[:300]}
        print(json.dumps(answer), flush=True)


@contextmanager
def canned() -> Iterator[str]:
    """The server with ready replies; gives its URL."""
    program = Path(__file__).with_name("canned.py")
    process = subprocess.Popen(
        [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"mongodb://127.0.0.1:{process.stdout.readline().strip()}/"
    finally:
        process.stdin.close()
        process.wait()


@contextmanager
def gateway(dsn: str) -> Iterator[str]:
    """The gateway on the database of `dsn`; gives its URL."""
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "kecoa", "mongo", "start", "--foreground", "--home", home),
                *("--database", "-", "--port", "0"),
            ],
            env={**os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(dsn + "\n")
        process.stdin.close()
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait()


def compare(where: dict[str, str], names: list[str], starts: int, rounds: int, secs: float) -> Any:
    """Run it all; what each round was, by workload and driver."""
    seen: dict[str, dict[str, drivers.Rounds]] = {w: {d: {} for d in where} for w in names}
    for start in range(starts):
        children = {name: drivers.Child(name, at) for name, at in where.items()}
        for name in [name for name, child in children.items() if "error" in child.greeting]:
            print(f"# {name}: absent: {children.pop(name).greeting['error']}")
        for number in range(rounds + 1):
            for workload in names:
                for driver, child in children.items():
                    answer = child.ask(workload, secs / 3 if number == 0 else secs)
                    if "error" in answer:
                        print(f"# {driver}/{workload}: {answer['error']}")
                    elif number:
                        seen[workload][driver][start * rounds + number] = answer
        for child in children.values():
            child.close()
    return seen


def main() -> None:
    """The command line."""
    parser = drivers.options(__doc__ or "", ["null", "gateway", "kecoa", "psycopg2"])
    parser.set_defaults(starts=2)
    args = parser.parse_args()
    if args.child:
        serve(args.child, args.dsn)
        return
    names = args.only.split(",") if args.only else list(WORKLOADS)
    with ExitStack() as servers:
        where = {}
        for name in args.drivers.split(","):
            if name == "null":
                where[name] = servers.enter_context(canned())
            elif name == "gateway":
                where[name] = servers.enter_context(gateway(args.dsn))
            else:
                where[name] = args.dsn
        seen = compare(where, names, args.starts, args.rounds, args.secs)
    for base in ("psycopg2", "null"):
        medians = {
            w: {d: drivers.summary(rounds, by.get(base, {})) for d, rounds in by.items() if rounds}
            for w, by in seen.items()
        }
        if base == "psycopg2":
            drivers.show("documents: wall us", medians, lambda by, d: by[d]["wall"])
            drivers.show("documents: client CPU us", medians, lambda by, d: by[d]["cpu"])
            drivers.save(medians, args.json)
        if base in where:
            drivers.show(f"documents: wall / {base}", medians, lambda by, d: by[d].get("ratio"))


if __name__ == "__main__":
    main()
