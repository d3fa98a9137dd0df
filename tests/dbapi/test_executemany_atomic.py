"""`executemany(…, atomic=True)`: all of the statements or none, also where they commit by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import kecoa
from kecoa import extensions, extras
from tests.dbapi.scripted_server import Cut, ScriptedServer

INSERT = "INSERT INTO atomic VALUES (%s)"
#: More than are sent at a time.
MANY = 2500


@pytest.fixture(params=["client", "server"])
def conn(request: pytest.FixtureRequest, connect: Callable[..., Any]) -> Any:
    conn = connect(binding=request.param)
    conn.autocommit = True
    conn.cursor().execute("CREATE TEMP TABLE atomic (n int PRIMARY KEY)")
    return conn


def count(conn: Any) -> int:
    cur = conn.cursor()
    cur.execute("SELECT count(*) FROM atomic")
    found: int = cur.fetchone()[0]
    return found


@pytest.mark.parametrize("at", [0, 1, 700, MANY - 1])
def test_a_row_that_fails_leaves_none(conn: Any, at: int) -> None:
    given: list[Any] = [(n,) for n in range(MANY)]
    given[at] = ("nonsense",)
    cur = conn.cursor()
    with pytest.raises(kecoa.errors.InvalidTextRepresentation):
        cur.executemany(INSERT, given, atomic=True)
    assert count(conn) == 0
    assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
    with pytest.raises(kecoa.errors.InvalidTextRepresentation):
        cur.executemany(INSERT, given)
    assert count(conn) == at, "as in psycopg2, each row commits by itself"


def test_rows_that_a_generator_fails_to_give_leave_none(conn: Any) -> None:
    def given() -> Iterator[tuple[int]]:
        for n in range(10):
            yield (n,)
        raise LookupError("no more")

    with pytest.raises(LookupError):
        conn.cursor().executemany(INSERT, given(), atomic=True)
    assert count(conn) == 0


def test_all_of_them_are_counted_and_there(conn: Any) -> None:
    cur = conn.cursor()
    cur.executemany(INSERT, ((n,) for n in range(MANY)), atomic=True)
    assert cur.rowcount == MANY
    assert count(conn) == MANY
    assert conn.autocommit
    cur.executemany(INSERT, [], atomic=True)
    with pytest.raises(TypeError):
        cur.executemany(INSERT, [(1,)], True)


@pytest.mark.parametrize("within", ["no autocommit", "with", "BEGIN"])
def test_a_transaction_that_is_there_goes_on(conn: Any, within: str) -> None:
    cur = conn.cursor()
    if within == "no autocommit":
        conn.autocommit = False
    if within == "BEGIN":
        cur.execute("BEGIN")
    if within == "with":
        with pytest.raises(LookupError), conn:
            cur.executemany(INSERT, [(1,), (2,)], atomic=True)
            assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_INTRANS
            raise LookupError
    else:
        cur.executemany(INSERT, [(1,), (2,)], atomic=True)
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_INTRANS
        if within == "BEGIN":
            cur.execute("ROLLBACK")
        conn.rollback()
    assert count(conn) == 0


@pytest.mark.parametrize(
    "factory", [extras.DictCursor, extras.RealDictCursor, extras.NamedTupleCursor], ids=lambda f: f.__name__
)
def test_cursors_of_extras_take_it(conn: Any, factory: Any) -> None:
    conn.cursor(cursor_factory=factory).executemany(INSERT, [(1,), (2,)], atomic=True)
    assert count(conn) == 2


def test_a_lost_commit_is_ambiguous() -> None:
    with ScriptedServer({"COMMIT": Cut()}) as server:
        conn = kecoa.connect(server.dsn)
        conn.autocommit = True
        with pytest.raises(kecoa.AmbiguousCommitError):
            conn.cursor().executemany("INSERT INTO t VALUES (1)", [(), ()], atomic=True)
        assert server.seen[0].startswith("BEGIN;INSERT")
