"""`executemany` whose rows come from code that uses the connection: each row is there before the next is made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest

import kecoa

INSERT = "INSERT INTO used (n) VALUES (%s)"
Use = Callable[[Any, Any, int], None]


def observed(module: Any, dsn: str, autocommit: bool, use: Use, at: set[int], bad: int | None) -> Any:
    """What is in the table at the end, what was seen on the way, and what was raised."""
    other = psycopg2.connect(dsn)
    other.autocommit = True
    other.cursor().execute("DROP TABLE IF EXISTS used; CREATE TABLE used (n int CHECK (n >= 0))")
    conn = module.connect(dsn)
    conn.autocommit = autocommit
    seen: list[Any] = []
    cur = conn.cursor()

    def rows() -> Iterator[tuple[Any]]:
        for n in range(700):
            if n in at:
                use(conn, seen, n)
            yield ("x" if n == bad else n,)
        if 700 in at:
            use(conn, seen, 700)

    raised = None
    try:
        cur.executemany(INSERT, rows())
    except (kecoa.Error, psycopg2.Error) as error:
        raised = type(error).__name__
    count = cur.rowcount if raised is None else None
    status = conn.closed or conn.info.transaction_status
    if not conn.closed:
        conn.rollback()
        conn.close()
    look = other.cursor()
    look.execute("SELECT count(*), sum(n) FROM used")
    table = look.fetchone()
    other.close()
    return {"table": table, "seen": seen, "raised": raised, "rowcount": count, "status": status}


def select(conn: Any, seen: list[Any], n: int) -> None:
    cur = conn.cursor()
    cur.execute("SELECT count(*) FROM used")
    seen.append((n, cur.fetchone()))


def commit(conn: Any, seen: list[Any], n: int) -> None:
    conn.commit()


def rollback(conn: Any, seen: list[Any], n: int) -> None:
    conn.rollback()


def delete(conn: Any, seen: list[Any], n: int) -> None:
    conn.cursor().execute("DELETE FROM used")


def block(conn: Any, seen: list[Any], n: int) -> None:
    with conn:
        conn.cursor().execute("INSERT INTO used VALUES (100000)")


def nested(conn: Any, seen: list[Any], n: int) -> None:
    conn.cursor().executemany(INSERT, ((100000 + i,) for i in range(20)))


def swallows(conn: Any, seen: list[Any], n: int) -> None:
    try:
        conn.cursor().execute("SELECT 1")
    except (kecoa.Error, psycopg2.Error) as error:
        seen.append(type(error).__name__)


def copy(conn: Any, seen: list[Any], n: int) -> None:
    import io

    out = io.StringIO()
    conn.cursor().copy_expert("COPY (SELECT count(*) FROM used) TO STDOUT", out)
    seen.append(out.getvalue())


def closes(conn: Any, seen: list[Any], n: int) -> None:
    conn.close()


USES = [select, commit, rollback, delete, block, nested, copy]


@pytest.mark.parametrize("autocommit", [False, True])
@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@pytest.mark.parametrize("at", [{1, 3}, {500, 501, 600}, {700}], ids=str)
def test_rows_before_are_there_whoever_uses_the_connection(
    dsn: str, autocommit: bool, use: Use, at: set[int]
) -> None:
    ours, theirs = (observed(module, dsn, autocommit, use, at, None) for module in (kecoa, psycopg2))
    assert ours == theirs


@pytest.mark.parametrize("autocommit", [False, True])
@pytest.mark.parametrize("use", [commit, delete, rollback], ids=lambda use: use.__name__)
@pytest.mark.parametrize("bad", [2, 300, 550])
def test_behind_a_row_that_failed_nothing_is_done(dsn: str, autocommit: bool, use: Use, bad: int) -> None:
    """psycopg2 would not have asked for the row in whose making the connection is used."""
    at = {bad + 10, bad + 40}
    ours, theirs = (observed(module, dsn, autocommit, use, at, bad) for module in (kecoa, psycopg2))
    assert ours == theirs


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_generator_that_swallows_the_error_does_not_hide_it(dsn: str, autocommit: bool) -> None:
    found = observed(kecoa, dsn, autocommit, swallows, {30}, 20)
    assert found["raised"] == "InvalidTextRepresentation"
    assert found["seen"] == ["InvalidTextRepresentation"]
    assert found["table"][0] == (20 if autocommit else 0)


@pytest.mark.parametrize("autocommit", [False, True])
def test_rows_before_close_are_not_lost(dsn: str, autocommit: bool) -> None:
    ours, theirs = (observed(module, dsn, autocommit, closes, {30}, None) for module in (kecoa, psycopg2))
    assert ours["table"] == theirs["table"] == ((30, 435) if autocommit else (0, None))
    assert ours["raised"] is not None


def test_adapters_that_use_the_connection(dsn: str) -> None:
    class Counted:
        """Writes how many rows there are."""

        def __init__(self, conn: Any) -> None:
            self.conn = conn

        def __conform__(self, protocol: Any) -> Any:
            return self

        def getquoted(self) -> bytes:
            cur = self.conn.cursor()
            cur.execute("SELECT count(*) FROM used")
            return b"%d" % cur.fetchone()[0]

    tables = []
    for module in (kecoa, psycopg2):
        conn = module.connect(dsn)
        cur = conn.cursor()
        cur.execute("CREATE TEMP TABLE used (n int)")
        cur.executemany(INSERT, [(Counted(conn),) for _ in range(30)])
        cur.execute("SELECT n FROM used ORDER BY n")
        tables.append(cur.fetchall())
        conn.close()
    assert tables[0] == tables[1] == [(n,) for n in range(30)]


def test_another_thread_that_uses_the_connection_sees_them_too(dsn: str) -> None:
    conn = kecoa.connect(dsn)
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE used (n int)")
    counts = []

    def look() -> None:
        other = conn.cursor()
        other.execute("SELECT count(*) FROM used")
        counts.append(other.fetchone()[0])

    def rows() -> Iterator[tuple[int]]:
        for n in range(300):
            if n in (7, 200):
                thread = threading.Thread(target=look)
                thread.start()
                thread.join()
            yield (n,)

    cur.executemany(INSERT, rows())
    assert (counts, cur.rowcount) == ([7, 200], 300)
    conn.close()
