"""What a connection remembers of a result's columns: a change between two executions is seen all the same.

The statement is executed until its description is remembered and it is prepared; then something changes.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions

STATEMENT = "SELECT * FROM changing WHERE %s > 0"
#: Executions after which a statement is prepared, its form chosen and its description remembered.
TIMES = 4


def blocking(binding: str) -> Callable[[str], Any]:
    def opener(dsn: str) -> Any:
        conn = kecoa.connect(dsn, binding=binding)
        conn.autocommit = True
        return Blocking(conn)

    return opener


class Blocking:
    """A connection, and what the tests do with it."""

    def __init__(self, conn: Any) -> None:
        self.conn = self.registers_in = conn

    def rows(self, statement: str = STATEMENT, vars: Any = (1,)) -> list[Any]:
        cur = self.conn.cursor()
        cur.execute(statement, vars)
        self.names = [column.name for column in cur.description]
        self.codes = [column.type_code for column in cur.description]
        rows: list[Any] = cur.fetchall()
        return rows

    def run(self, statement: str) -> None:
        self.conn.cursor().execute(statement)

    def close(self) -> None:
        self.conn.close()


class Asynchronous:
    """The same of `kecoa.aio`."""

    def __init__(self, dsn: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.conn = self.loop.run_until_complete(kecoa.aio.connect(dsn, autocommit=True))
        self.registers_in = None

    def rows(self, statement: str = STATEMENT, vars: Any = (1,)) -> list[Any]:
        cur = self.conn.cursor()
        self.loop.run_until_complete(cur.execute(statement, vars))
        self.names = [column.name for column in cur.description]
        self.codes = [column.type_code for column in cur.description]
        rows: list[Any] = self.loop.run_until_complete(cur.fetchall())
        return rows

    def run(self, statement: str) -> None:
        self.loop.run_until_complete(self.conn.execute(statement))

    def close(self) -> None:
        self.loop.run_until_complete(self.conn.close())
        self.loop.close()


WAYS = {"client": blocking("client"), "server": blocking("server"), "asyncio": Asynchronous}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, dsn: str) -> Iterator[Any]:
    way = WAYS[request.param](dsn)
    way.run("SET client_min_messages = warning")
    way.run("DROP TABLE IF EXISTS changing")
    way.run("CREATE TABLE changing (a int, b text)")
    way.run("INSERT INTO changing VALUES (1, 'x')")
    yield way
    way.run("DROP TABLE changing")
    way.close()


@pytest.fixture
def other(dsn: str) -> Iterator[Any]:
    """Another session, whose changes the first one is not told of."""
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    yield conn.cursor()
    conn.close()


def settle(way: Any, expected: list[Any]) -> None:
    for _ in range(TIMES):
        assert way.rows() == expected


def test_a_table_is_altered_between_two_executions(way: Any, other: Any) -> None:
    settle(way, [(1, "x")])
    other.execute("ALTER TABLE changing ALTER a TYPE numeric")
    settle(way, [(Decimal(1), "x")])
    assert [type(value) for value in way.rows()[0]] == [Decimal, str]
    other.execute("ALTER TABLE changing ADD c date DEFAULT '2024-02-29'")
    settle(way, [(Decimal(1), "x", datetime.date(2024, 2, 29))])
    other.execute("ALTER TABLE changing DROP b")
    settle(way, [(Decimal(1), datetime.date(2024, 2, 29))])
    other.execute("ALTER TABLE changing RENAME a TO renamed")
    settle(way, [(Decimal(1), datetime.date(2024, 2, 29))])
    assert way.names == ["renamed", "c"]


def test_other_types_come_under_the_same_names(way: Any, other: Any) -> None:
    settle(way, [(1, "x")])
    for made, value in [("1.5::float8", 1.5), ("true", True), ("'{1,2}'::int[]", [1, 2]), ("2", 2)]:
        other.execute(f"DROP TABLE changing; CREATE TABLE changing AS SELECT {made} AS a, 'x'::text AS b")
        settle(way, [(value, "x")])
        assert type(way.rows()[0][0]) is type(value)
        assert way.names == ["a", "b"]


def test_statements_that_differ_only_in_types_take_turns(way: Any) -> None:
    for _ in range(TIMES):
        for made, value in [("1::int", 1), ("1::bool", True), ("1::text", "1"), ("1::float8", 1.0)]:
            found = way.rows(f"SELECT {made} AS a WHERE %s > 0")
            assert found == [(value,)]
            assert type(found[0][0]) is type(value)


def test_a_typecaster_is_registered_between(way: Any) -> None:
    settle(way, [(1, "x")])
    marked = extensions.new_type((23,), "MARKED", lambda value, _: f"<{value}>")
    extensions.register_type(marked)
    settle(way, [("<1>", "x")])
    # The dictionary is the program's, too.
    extensions.string_types[23] = extensions.new_type((23,), "OTHER", lambda value, _: f"[{value}]")
    settle(way, [("[1]", "x")])
    extensions.string_types[23] = kecoa.extensions.DECIMAL
    settle(way, [(Decimal(1), "x")])
    assert type(way.rows()[0][0]) is Decimal
    del extensions.string_types[23]
    settle(way, [("1", "x")])
    extensions.string_types[23] = kecoa.extensions.INTEGER
    settle(way, [(1, "x")])


@pytest.mark.parametrize("binding", ["client", "server"])
def test_a_typecaster_of_a_connection_or_cursor_is_its_own(way: Any, dsn: str, binding: str) -> None:
    conn = kecoa.connect(dsn, binding=binding)
    conn.autocommit = True
    settled = Blocking(conn)
    settle(settled, [(1, "x")])
    text = extensions.new_type((23,), "TEXT", lambda value, _: f"<{value}>")
    cur = conn.cursor()
    extensions.register_type(text, cur)
    for _ in range(TIMES):
        cur.execute(STATEMENT, (1,))
        assert cur.fetchall() == [("<1>", "x")]
    settle(settled, [(1, "x")])
    extensions.register_type(extensions.new_type((23,), "CONN", lambda value, _: f"[{value}]"), conn)
    settle(settled, [("[1]", "x")])
    cur.execute(STATEMENT, (1,))
    assert cur.fetchall() == [("<1>", "x")]
    settle(way, [(1, "x")])
    conn.close()


def test_client_encoding_changes_between(way: Any) -> None:
    name = "naïve"
    way.run(f'ALTER TABLE changing RENAME b TO "{name}"')
    way.run(f"UPDATE changing SET \"{name}\" = 'é'")
    settle(way, [(1, "é")])
    assert way.names == ["a", name]
    way.run("SET client_encoding TO 'LATIN1'")
    settle(way, [(1, "é")])
    assert way.names == ["a", name]
    way.run("SET client_encoding TO 'UTF8'")
    settle(way, [(1, "é")])
    assert way.names == ["a", name]


#: What a statement may have of a type, and its argument, where it takes one.
OF_TYPES: list[tuple[str, Any, Any]] = [
    ("SELECT 'sad'::mood", None, "sad"),
    ("SELECT %s::mood", "sad", "sad"),
    ("SELECT m FROM felt WHERE m = %s", "sad", "sad"),
    ("SELECT ARRAY['sad', NULL]::mood[]", None, "{sad,NULL}"),
    ("SELECT ROW('sad'::mood)", None, "(sad)"),
    ("SELECT (1, 'x')::pair", None, "(1,x)"),
    ("SELECT %s::pair", "(1,x)", "(1,x)"),
    ("SELECT ARRAY[(1, 'x')::pair]", None, '{"(1,x)"}'),
    ("SELECT %s::positive", 5, 5),
    ("INSERT INTO felt VALUES (%s) RETURNING m", "sad", "sad"),
    ("UPDATE felt SET m = 'sad' RETURNING m", None, "sad"),
]


def make_types(cur: Any) -> None:
    cur.execute(
        "SET client_min_messages = warning; DROP TABLE IF EXISTS felt;"
        " DROP TYPE IF EXISTS mood, pair CASCADE; DROP DOMAIN IF EXISTS positive CASCADE;"
        " CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);"
        " CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
        " CREATE TABLE felt (m mood); INSERT INTO felt VALUES ('sad')"
    )


@pytest.fixture
def types(other: Any) -> Iterator[Any]:
    make_types(other)
    yield other
    other.execute("DROP TABLE felt; DROP TYPE mood, pair; DROP DOMAIN positive")


@pytest.mark.parametrize(("statement", "value", "expected"), OF_TYPES)
def test_a_type_is_dropped_and_made_anew(
    way: Any, types: Any, statement: str, value: Any, expected: Any
) -> None:
    for _ in range(3):
        for _ in range(TIMES):
            assert way.rows(statement, None if value is None else (value,)) == [(expected,)]
        make_types(types)
    assert way.rows("SELECT count(*) FROM felt WHERE %s > 0") == [(1,)]


def test_a_type_made_anew_ends_one_transaction_at_most(way: Any, types: Any) -> None:
    for statement, value, _ in OF_TYPES:
        for _ in range(TIMES):
            way.rows(statement, None if value is None else (value,))
    make_types(types)
    failed = 0
    for statement, value, expected in OF_TYPES:
        way.run("BEGIN")
        try:
            assert way.rows(statement, None if value is None else (value,)) == [(expected,)]
        except kecoa.DatabaseError:
            failed += 1
        way.run("ROLLBACK")
    assert failed <= 1
