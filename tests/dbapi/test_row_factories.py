"""Row factories on blocking connections: psycopg 3's, on psycopg2's cursors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions, extras, rows
from kecoa.pool import Pool

TWO = "SELECT n AS id, n * 10 AS balance FROM generate_series(1, 3) n"


@dataclass
class Account:
    id: int
    balance: int


@dataclass
class Only:
    id: int


FACTORIES = {
    "tuple": (rows.tuple_row, [(1, 10), (2, 20), (3, 30)]),
    "dict": (rows.dict_row, [{"id": n, "balance": n * 10} for n in (1, 2, 3)]),
    "namedtuple": (rows.namedtuple_row, [(1, 10), (2, 20), (3, 30)]),
    "class": (rows.class_row(Account), [Account(n, n * 10) for n in (1, 2, 3)]),
    "args": (rows.args_row(max), [10, 20, 30]),
    "kwargs": (rows.kwargs_row(lambda **row: row["id"] + row["balance"]), [11, 22, 33]),
    "scalar": (rows.scalar_row, [1, 2, 3]),
}

WAYS = {
    "fetchall": lambda cur: cur.fetchall(),
    "fetchmany": lambda cur: [*cur.fetchmany(2), *cur.fetchmany(2), *cur.fetchmany(2)],
    "fetchone": lambda cur: [cur.fetchone() for _ in range(4)][:3],
    "iteration": list,
    "next": lambda cur: [next(cur) for _ in range(3)],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [None, "named"])
@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("binding", ["client", "server"])
def test_rows(dsn: str, factory: str, name: str | None, way: str, binding: Any) -> None:
    make, expected = FACTORIES[factory]
    conn = kecoa.connect(dsn, row_factory=make, binding=binding)
    try:
        cur = conn.cursor(name)
        cur.execute(TWO)
        assert WAYS[way](cur) == expected
        assert cur.fetchone() is None
        assert cur.fetchall() == cur.fetchmany() == []
        # Other columns, other names.
        if name is None:
            cur.execute("SELECT 'x' AS other")
            if factory == "dict":
                assert cur.fetchall() == [{"other": "x"}]
            elif factory == "namedtuple":
                assert cur.fetchall()[0].other == "x"
    finally:
        conn.close()


@pytest.mark.parametrize("factory", FACTORIES)
def test_streams(dsn: str, factory: str) -> None:
    make, expected = FACTORIES[factory]
    conn = kecoa.connect(dsn, row_factory=make)
    with conn.cursor() as cur, cur.stream(TWO, size=2) as stream:
        assert list(stream) == expected
    conn.close()


def test_asyncios_are_the_same() -> None:
    for name in rows.__all__:
        if not name.startswith("Row"):
            assert getattr(kecoa.aio, name) is getattr(rows, name)


def test_a_cursors_own(dsn: str) -> None:
    conn = kecoa.connect(dsn, row_factory=rows.dict_row)
    assert conn.row_factory is rows.dict_row
    assert type(conn) is rows.RowConnection
    cur = conn.cursor(row_factory=rows.scalar_row)
    cur.execute(TWO)
    assert cur.fetchone() == 1
    cur.row_factory = rows.tuple_row
    assert cur.row_factory is rows.tuple_row
    assert cur.fetchone() == (2, 20)
    conn.row_factory = rows.scalar_row
    other = conn.cursor()
    other.execute(TWO)
    assert other.fetchall() == [1, 2, 3]
    conn.close()


def test_without_one_rows_are_tuples(dsn: str) -> None:
    conn = kecoa.connect(dsn, connection_factory=rows.RowConnection)
    assert conn.row_factory is rows.tuple_row
    cur = conn.cursor()
    cur.execute(TWO)
    assert cur.fetchall() == [(1, 10), (2, 20), (3, 30)]
    conn.close()
    plain = kecoa.connect(dsn)
    assert type(plain) is extensions.connection
    assert type(plain.cursor()) is extensions.cursor
    plain.close()


def test_beside_cursor_factories(dsn: str) -> None:
    class Counting(rows.RowCursor[Any]):
        """A class of a program's own."""

    conn = kecoa.connect(dsn, row_factory=rows.dict_row, cursor_factory=Counting)
    cur = conn.cursor()
    assert type(cur) is Counting
    cur.execute(TWO)
    assert cur.fetchone() == {"id": 1, "balance": 10}
    cur = conn.cursor(row_factory=rows.scalar_row)  # type: ignore[assignment]
    assert type(cur) is Counting
    cur.execute(TWO)
    assert cur.fetchone() == 1
    by_name = conn.cursor(cursor_factory=extras.DictCursor)
    by_name.execute(TWO)
    row = by_name.fetchone()
    assert row is not None
    assert row["balance"] == 10
    with pytest.raises(kecoa.ProgrammingError, match="expected cursors of kecoa"):
        conn.cursor(cursor_factory=extras.DictCursor, row_factory=rows.dict_row)  # type: ignore[call-overload]
    conn.close()


def test_beside_connection_factories(dsn: str) -> None:
    class Own(rows.RowConnection[Any]):
        pass

    conn = kecoa.connect(dsn, connection_factory=Own, row_factory=rows.scalar_row)
    assert type(conn) is Own
    cur = conn.cursor()
    cur.execute("SELECT 7")
    assert cur.fetchone() == 7
    conn.close()
    with pytest.raises(kecoa.ProgrammingError, match="expected a connection of kecoa"):
        kecoa.connect(dsn, connection_factory=extras.DictConnection, row_factory=rows.dict_row)


def test_in_pools_and_transactions(dsn: str) -> None:
    with Pool(dsn, min_size=1, kwargs={"row_factory": rows.dict_row}) as pool:

        def balances(conn: Any) -> Any:
            cur = conn.cursor()
            cur.execute(TWO)
            return cur.fetchone()

        assert kecoa.run_transaction(pool, balances) == {"id": 1, "balance": 10}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_factory_raises_is_raised(dsn: str, way: str) -> None:
    conn = kecoa.connect(dsn, row_factory=rows.kwargs_row(Only))
    cur = conn.cursor()
    cur.execute(TWO)
    with pytest.raises(TypeError, match="balance"):
        WAYS[way](cur)
    cur.execute("SELECT 5 AS id")
    assert cur.fetchall() == [Only(5)]
    conn.close()


def test_statements_without_rows(dsn: str) -> None:
    conn = kecoa.connect(dsn, row_factory=rows.dict_row)
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE t (a int)")
    with pytest.raises(kecoa.ProgrammingError, match="no results to fetch"):
        cur.fetchall()
    cur.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)])
    cur.callproc("generate_series", (1, 2))
    assert cur.fetchall() == [{"generate_series": 1}, {"generate_series": 2}]
    conn.close()


def test_extras_read_the_catalogue_beside_them(dsn: str) -> None:
    conn = kecoa.connect(dsn, row_factory=rows.dict_row)
    conn.cursor().execute("CREATE TYPE pg_temp.pair AS (a int, b text)")
    extras.register_composite("pg_temp.pair", conn)
    cur = conn.cursor()
    cur.execute("SELECT (1, 'x')::pg_temp.pair AS p")
    row = cur.fetchone()
    assert row is not None
    assert row["p"].b == "x"
    extras.execute_values(cur, "SELECT * FROM (VALUES %s) AS v (a)", [(1,), (2,)])
    conn.close()


@pytest.mark.parametrize("way", WAYS)
def test_none_is_tuples(dsn: str, way: str) -> None:
    conn = kecoa.connect(dsn, row_factory=rows.dict_row)
    cur = conn.cursor()
    cur.row_factory = None
    cur.execute(TWO)
    assert WAYS[way](cur) == FACTORIES["tuple"][1]
    assert cur.row_factory is rows.tuple_row
    conn.row_factory = None
    cur = conn.cursor()
    cur.execute(TWO)
    assert WAYS[way](cur) == FACTORIES["tuple"][1]
    conn.close()
