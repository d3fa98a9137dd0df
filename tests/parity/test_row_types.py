"""Cursors whose rows know their columns' names, named cursors too; and connections that log."""

from __future__ import annotations

import io
import logging
import pickle
import re

import pytest

import kecoa.extras

CURSORS = ["DictCursor", "RealDictCursor", "NamedTupleCursor"]
QUERY = """SELECT n AS number, n::text AS "text", NULL AS nothing, n * 2 AS "Odd name!" FROM generate_series(1, 7) n"""

FETCHES = {
    "one": lambda cur: [cur.fetchone() for _ in range(9)],
    "many": lambda cur: [
        cur.fetchmany(3),
        cur.fetchmany(),
        cur.fetchmany(0),
        cur.fetchmany(10),
        cur.fetchmany(1),
    ],
    "all": lambda cur: [cur.fetchall(), cur.fetchall(), cur.fetchone()],
    "iterated": lambda cur: [list(cur), list(cur)],
    "next": lambda cur: [next(cur), next(iter(cur)), cur.fetchone(), cur.rownumber],
    "mixed": lambda cur: [cur.fetchone(), cur.fetchmany(2), next(cur), cur.fetchall()],
}


@pytest.mark.parametrize(
    ("kind", "fetch"),
    # next() of a NamedTupleCursor is for the test after this one.
    [(k, f) for k in CURSORS for f in FETCHES if k != "NamedTupleCursor" or f not in ("next", "mixed")],
)
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("itersize", [2000, 2])
def test_fetching(same, kind, named, fetch, itersize):
    def action(module, conn, cur):
        rows = conn.cursor(*["named"] * named, cursor_factory=getattr(module.extras, kind))
        rows.itersize = itersize
        rows.execute(QUERY)
        return [type(rows).__name__, FETCHES[fetch](rows), rows.rownumber, rows.rowcount]

    same(action)


@pytest.mark.parametrize("named", [False, True])
def test_next_of_a_named_tuple_cursor_is_a_named_tuple(parity_connections, named):
    """psycopg2's is a plain tuple; only its iterator makes named ones."""
    rows = parity_connections[1].cursor(*["named"] * named, cursor_factory=kecoa.extras.NamedTupleCursor)
    rows.execute(QUERY)
    assert (next(rows).number, next(rows)) == (1, (2, "2", None, 4))
    parity_connections[1].rollback()


@pytest.mark.parametrize("kind", CURSORS)
@pytest.mark.parametrize("named", [False, True])
def test_the_second_query_has_other_columns(same, kind, named):
    def action(module, conn, cur):
        rows = []
        for query in (QUERY, "SELECT 1 AS number, 2 AS other", "SELECT 1 WHERE false", "SELECT 1, 2"):
            each = conn.cursor(*["named"] * named, cursor_factory=getattr(module.extras, kind))
            each.execute(query)
            rows.append(each.fetchone())
            if not named:
                each.execute("SELECT 3 AS third")
                rows.append(each.fetchall())
            each.close()
        return rows

    same(action)


def test_columns_of_one_name(same):
    def action(module, conn, cur):
        rows = []
        for kind in ("DictCursor", "RealDictCursor"):
            each = conn.cursor(cursor_factory=getattr(module.extras, kind))
            each.execute("SELECT 1 AS a, 2 AS a, 3 AS b")
            rows.append(each.fetchall())
        return rows

    same(action)


DICT_ROWS = {
    "by position and name": lambda row: [row[0], row[-1], row[1:3], row["number"], row["Odd name!"]],
    "keys": lambda row: [list(row.keys()), list(row.values()), list(row.items()), list(row), len(row)],
    "contains": lambda row: ["number" in row, 1 in row, "x" in row],
    "get": lambda row: [
        row.get("number"),
        row.get("x"),
        row.get("x", 5),
        row.get(0),
        row.get(99),
        row.get(None),
    ],
    "missing name": lambda row: row["x"],
    "missing position": lambda row: row[99],
    "setting": lambda row: [row.__setitem__("number", 7), row.__setitem__(1, 8), list(row), row["text"]],
    "setting a missing name": lambda row: row.__setitem__("x", 7),
    "copy": lambda row: [type(row.copy()).__name__, dict(row.copy())],
    "pickle": lambda row: [
        type(pickle.loads(pickle.dumps(row))).__name__,
        pickle.loads(pickle.dumps(row))["number"],
    ],
    "equality": lambda row: [row == [1, "1", None, 2], row == {"number": 1}],
    "repr": repr,
}


@pytest.mark.parametrize("use", DICT_ROWS)
@pytest.mark.parametrize("kind", ["DictCursor", "RealDictCursor"])
def test_a_row(same, use, kind):
    def action(module, conn, cur):
        rows = conn.cursor(cursor_factory=getattr(module.extras, kind))
        rows.execute(QUERY)
        try:
            return DICT_ROWS[use](rows.fetchone())
        except (LookupError, AttributeError) as error:
            return type(error).__name__

    same(action)


@pytest.mark.parametrize(
    "columns",
    [
        '1 AS "1st"',
        '1 AS "_x"',
        '1 AS "a b", 2 AS "c.d"',
        '1 AS "é"',
        '1 AS "class"',
        "1 AS a, 2 AS a",
        '1 AS "?column?"',
    ],
)
def test_field_names(same, columns):
    def action(module, conn, cur):
        rows = conn.cursor(cursor_factory=module.extras.NamedTupleCursor)
        rows.execute(f"SELECT {columns}")
        row = rows.fetchone()
        return row._fields, row

    same(action)


@pytest.mark.parametrize("kind", ["DictCursorBase"])
def test_the_base_is_no_cursor(same, kind):
    same(lambda module, conn, cur: conn.cursor(cursor_factory=getattr(module.extras, kind)))


def test_paginate(same):
    same(
        lambda module, conn, cur: [
            list(module.extras._paginate(range(n), size)) for n in (0, 1, 5) for size in (1, 2, 5)
        ]
    )


class Handler(logging.Handler):
    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append((record.levelname, record.getMessage()))


def logged(action_of_a_cursor, kind, target):
    def action(module, conn, cur):
        connection = module.connect(conn.dsn, connection_factory=getattr(module.extras, kind))
        out, handler = io.StringIO(), Handler()
        logger = logging.getLogger("parity")
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
        try:
            connection.initialize(out if target == "file" else logger)
            with connection.cursor() as each:
                try:
                    action_of_a_cursor(each, connection)
                except module.Error as error:
                    handler.messages.append(("error", error.pgcode))
            return re.sub(r"time: [0-9.e-]+ ms", "time", repr([out.getvalue(), handler.messages])), type(
                each
            ).__name__
        finally:
            logger.removeHandler(handler)
            connection.close()

    return action


@pytest.mark.parametrize("kind", ["LoggingConnection", "MinTimeLoggingConnection"])
@pytest.mark.parametrize("target", ["file", "logger"])
@pytest.mark.parametrize(
    "action",
    [
        lambda cur, conn: cur.execute("SELECT %s", ("é'",)),
        lambda cur, conn: cur.execute(b"SELECT 1"),
        lambda cur, conn: cur.callproc("abs", (1,)),
        lambda cur, conn: cur.execute("nonsense"),
        lambda cur, conn: cur.executemany("SELECT %s", [(1,), (2,)]),
        lambda cur, conn: conn.cursor("named").execute("SELECT 1"),
    ],
)
def test_logging(same, kind, target, action):
    same(logged(action, kind, target))


@pytest.mark.parametrize("kind", ["LoggingConnection", "MinTimeLoggingConnection"])
def test_a_logging_connection_wants_to_be_initialized(same, kind):
    def action(module, conn, cur):
        connection = module.connect(conn.dsn, connection_factory=getattr(module.extras, kind))
        try:
            return connection.cursor()
        finally:
            connection.close()

    same(action)
