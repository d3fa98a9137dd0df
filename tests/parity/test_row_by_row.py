"""Rows one by one: what a program does between two of them, and rows that cannot be converted."""

from __future__ import annotations

import datetime

import pytest

import kecoa

ROWS = "SELECT i, 'row ' || i, '2024-01-01 00:00:00+02'::timestamptz FROM generate_series(1, 200) AS i"
KINDS = ["cursor", "DictCursor", "RealDictCursor", "NamedTupleCursor"]


def opened(m, conn, kind="cursor", sql=ROWS):
    """A cursor with a result of which three rows were taken."""
    cur = conn.cursor(cursor_factory=None if kind == "cursor" else getattr(m.extras, kind))
    cur.execute(sql)
    return cur, [cur.fetchone() for _ in range(3)]


@pytest.mark.parametrize("kind", KINDS)
def test_ways_of_fetching_mixed(same, kind):
    def action(m, conn, _):
        cur, seen = opened(m, conn, kind)
        where = [cur.rownumber]
        for way in (
            lambda: cur.fetchmany(5),
            cur.fetchone,
            lambda: next(iter(cur)),
            lambda: [row for row, _ in zip(cur, range(30), strict=False)],
            lambda: cur.scroll(-20),
            cur.fetchone,
            cur.fetchone,
            lambda: cur.scroll(100, mode="absolute"),
            lambda: [cur.fetchone() for _ in range(20)],
            lambda: len(cur.fetchall()),
            cur.fetchone,
        ):
            seen.append(way())
            where.append(cur.rownumber)
        return [str(row) for row in seen], where

    same(action)


@pytest.mark.parametrize("kind", KINDS)
def test_time_zones_change_between_rows(same, kind):
    def action(m, conn, _):
        cur, seen = opened(m, conn, kind)
        cur.tzinfo_factory = None
        seen += [cur.fetchone() for _ in range(3)]
        cur.tzinfo_factory = lambda offset: datetime.timezone(datetime.timedelta(hours=1), "mine")
        seen += [cur.fetchone() for _ in range(3)]
        cur.tzinfo_factory = datetime.timezone
        seen += [cur.fetchone() for _ in range(3)]
        return [str(row) for row in seen]

    same(action)


def test_a_row_factory_between_rows(same):
    def action(m, conn, _):
        cur, seen = opened(m, conn)
        cur.row_factory = lambda cur: [None] * len(cur.description)
        seen += [cur.fetchone() for _ in range(3)]
        cur.row_factory = None
        seen += [cur.fetchone() for _ in range(3)]
        return seen

    same(action)


def test_the_encoding_changes_between_rows(parity_connections):
    """psycopg2 reads them in the new one: see the differences."""
    _, conn = parity_connections
    conn.set_client_encoding("LATIN1")
    cur, seen = opened(kecoa, conn, sql="SELECT 'é' FROM generate_series(1, 100)")
    before = len(seen)
    for name in ("UTF8", "LATIN1", "UTF8"):
        conn.set_client_encoding(name)
        seen += [cur.fetchone() for _ in range(3)]
    assert seen == [("é",)] * (before + 9)
    assert cur.rownumber == before + 9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [2, 4, 5, 12, 60])
def test_a_row_that_cannot_be_converted(same, kind, bad):
    sql = (
        f"SELECT i AS a, CASE WHEN i = {bad} THEN '20000-01-01' ELSE '2024-01-01' END::date AS b"
        " FROM generate_series(1, 100) AS i"
    )

    def action(m, conn, _):
        cur = conn.cursor(cursor_factory=None if kind == "cursor" else getattr(m.extras, kind))
        cur.execute(sql)
        seen = []
        for _ in range(101):
            try:
                seen.append(str(cur.fetchone()))
            except Exception as error:
                seen.append(type(error).__name__)
            seen.append(cur.rownumber)
        return seen

    same(action)


@pytest.mark.parametrize("kind", KINDS)
def test_another_statement_between_rows(same, kind):
    def action(m, conn, _):
        cur, seen = opened(m, conn, kind)
        cur.execute("SELECT 1 AS one FROM generate_series(1, 3)")
        seen += [cur.fetchone() for _ in range(4)]
        cur.close()
        with pytest.raises(m.InterfaceError):
            cur.fetchone()
        return [str(row) for row in seen]

    same(action)


def test_a_closed_connection_between_rows(same, dsn):
    def action(m, conn, _):
        own = m.connect(dsn)
        cur, seen = opened(m, own)
        own.close()
        with pytest.raises(m.InterfaceError) as caught:
            cur.fetchone()
        return seen, str(caught.value)

    same(action)


def test_a_typecaster_sees_rows_as_they_are_asked_for(same):
    def action(m, conn, _):
        seen = []

        def cast(value, cur):
            seen.append((value, cur.rownumber))
            return value

        cur = conn.cursor()
        m.extensions.register_type(m.extensions.new_type((23,), "MINE", cast), cur)
        cur.execute("SELECT i FROM generate_series(1, 50) AS i")
        for _ in range(5):
            cur.fetchone()
        return seen

    same(action)


@pytest.mark.parametrize("kind", KINDS)
def test_a_named_cursor_row_by_row(same, kind):
    def action(m, conn, _):
        cur = conn.cursor("rows", cursor_factory=None if kind == "cursor" else getattr(m.extras, kind))
        cur.itersize = 7
        cur.execute(ROWS)
        seen = [str(row) for row, _ in zip(cur, range(20), strict=False)]
        seen += [str(cur.fetchone()), str(cur.fetchmany(3)), str(next(cur)[0] if kind == "cursor" else "")]
        conn.rollback()
        return seen

    same(action)


def test_rows_are_separate_objects(same):
    def action(m, conn, _):
        cur, seen = opened(
            m, conn, sql="SELECT ARRAY[i, 2], '{\"a\": 1}'::json FROM generate_series(1, 30) AS i"
        )
        for row in cur:
            row[0].append(3)
            row[1]["b"] = row[0]
            seen.append(row)
        return [str(row) for row in seen]

    same(action)
