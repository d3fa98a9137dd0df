"""`cursor.stream`: rows as they are asked for, in bounded memory."""

from __future__ import annotations

from typing import Any

import pytest

import kecoa
import kecoa.extras


def portals(conn: Any) -> int:
    """How many portals of streams are open."""
    with conn.cursor() as cur:
        cur.execute("SELECT count(*) FROM pg_cursors WHERE name LIKE 'kecoa\\_rows%'")
        return int(cur.fetchone()[0])


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
def test_all_rows_come_in_order(conn: Any, count: int) -> None:
    cur = conn.cursor()
    rows = cur.stream("SELECT i, i::text FROM generate_series(1, %s) i", (count,), size=10)
    assert list(rows) == [(i, str(i)) for i in range(1, count + 1)]
    assert [column.name for column in cur.description] == ["i", "i"]
    assert list(rows) == []
    conn.commit()


def test_rows_are_as_the_cursor_makes_them(conn: Any) -> None:
    with conn.cursor(cursor_factory=kecoa.extras.RealDictCursor) as cur:
        rows = list(cur.stream("SELECT 1 AS a, NULL AS b UNION ALL SELECT 2, 'x'", size=1))
    assert rows == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]


def test_the_server_gives_no_more_than_was_asked_for(conn: Any) -> None:
    cur = conn.cursor()
    cur.execute("CREATE TEMP SEQUENCE seen")
    stream = cur.stream("SELECT nextval('seen') FROM generate_series(1, 1000000)", size=10)
    assert [next(stream)[0] for _ in range(25)] == list(range(1, 26))
    other = conn.cursor()
    other.execute("SELECT last_value FROM seen")
    assert other.fetchone() == (30,)
    assert portals(conn) == 1
    stream.close()
    stream.close()
    assert portals(conn) == 0
    # What was already here is still given.
    assert [row[0] for row in stream] == list(range(26, 31))


def test_streams_side_by_side_and_with_statements_of_other_cursors(conn: Any) -> None:
    one = conn.cursor().stream("SELECT generate_series(1, 30)", size=3)
    with conn.cursor().stream("SELECT generate_series(101, 130)", size=4) as two:
        pairs = []
        for a, b in zip(one, two, strict=True):
            with conn.cursor() as cur:
                cur.execute("SELECT %s", (a[0] + b[0],))
                pairs.append(cur.fetchone()[0])
    assert pairs == [102 + 2 * i for i in range(30)]


def test_a_stream_ends_with_its_transaction_and_with_its_cursor(conn: Any) -> None:
    cur = conn.cursor()
    stream = cur.stream("SELECT generate_series(1, 30)", size=3)
    assert next(stream) == (1,)
    conn.commit()
    with pytest.raises(kecoa.ProgrammingError, match="transaction is over"):
        next(stream)
    stream.close()
    stream = cur.stream("SELECT generate_series(1, 30)", size=3)
    cur.execute("SELECT 1")
    with pytest.raises(kecoa.ProgrammingError, match="another statement"):
        next(stream)
    stream = cur.stream("SELECT generate_series(1, 30)", size=3)
    cur.close()
    with pytest.raises(kecoa.InterfaceError, match="closed"):
        next(stream)


def test_errors(conn: Any) -> None:
    cur = conn.cursor()
    with pytest.raises(kecoa.errors.UndefinedTable, match="LINE 1"):
        cur.stream("SELECT * FROM nowhere")
    conn.rollback()
    stream = cur.stream("SELECT 10 / (5 - i) FROM generate_series(1, 9) i", size=2)
    seen = []
    with pytest.raises(kecoa.errors.DivisionByZero):
        for row in stream:
            seen.append(row[0])
    assert seen == [2, 3, 5, 10]
    assert list(stream) == []
    stream.close()
    conn.rollback()
    with pytest.raises(kecoa.ProgrammingError, match="at least 1 row"):
        cur.stream("SELECT 1", size=0)
    with pytest.raises(kecoa.ProgrammingError, match="named cursors"):
        conn.cursor("n").stream("SELECT 1")
    with pytest.raises(kecoa.errors.QueryCanceled, match="limit of 100ms"):
        cur.stream("SELECT pg_sleep(30)", timeout=0.1)
    conn.rollback()
    conn.autocommit = True
    with pytest.raises(kecoa.ProgrammingError, match="outside of a transaction"):
        cur.stream("SELECT 1")


def test_a_statement_without_rows(conn: Any) -> None:
    cur = conn.cursor()
    assert list(cur.stream("CREATE TEMP TABLE t (a int)")) == []
    assert cur.statusmessage == "CREATE TABLE"
    assert list(cur.stream("INSERT INTO t VALUES (1), (2), (3) RETURNING a", size=2)) == [(1,), (2,), (3,)]


def left_by_break(cur: Any) -> None:
    for _ in cur.stream("SELECT generate_series(1, 100000)", size=10):
        break


def left_by_return(cur: Any) -> None:
    def first() -> Any:
        for row in cur.stream("SELECT generate_series(1, 100000)", size=10):
            return row
        return None

    assert first() == (1,)


def left_by_an_error(cur: Any) -> None:
    with pytest.raises(LookupError):
        for _ in cur.stream("SELECT generate_series(1, 100000)", size=10):
            raise LookupError


@pytest.mark.parametrize("leave", [left_by_break, left_by_return, left_by_an_error])
def test_a_stream_that_is_left_early_costs_nothing(conn: Any, leave: Any) -> None:
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE left_early (n int)")
    cur.execute("INSERT INTO left_early VALUES (1)")
    leave(conn.cursor())
    cur.execute("INSERT INTO left_early VALUES (2)")
    conn.commit()
    cur.execute("SELECT count(*) FROM left_early")
    assert cur.fetchone() == (2,)
