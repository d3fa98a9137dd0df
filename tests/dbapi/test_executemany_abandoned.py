"""`executemany` that is cut short while a request is under way: nothing of that request is lost, and nothing of
it is taken for another's. What is seen is what psycopg2's loop shows, statement by statement."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest

import kecoa
import kecoa.extensions
from kecoa import errors

INSERT = "INSERT INTO cut VALUES (%s)"
# In the third request: the first row travels alone, then five hundred at a time.
INTERRUPTED = 800

Act = Callable[[Any, Any, Any], Any]


def numbers(bad: int | None, at: dict[int, Callable[[], Any]], count: int = 2000) -> Iterator[tuple[Any]]:
    """Rows of which one does not go in, and what else happens while they are asked for."""
    for n in range(count):
        if n in at:
            at[n]()
        yield ("x" if n == bad else n,)


def observed(module: Any, dsn: str, act: Act) -> dict[str, Any]:
    """What is left of an action."""
    conn = module.connect(dsn)
    try:
        cur = conn.cursor()
        cur.execute("CREATE TEMP TABLE cut (a int)")
        conn.commit()
        seen: dict[str, Any] = {}
        try:
            seen["result"] = act(module, conn, cur)
        except Exception as error:
            seen["error"] = (type(error).__name__, str(error), getattr(error, "pgcode", None))
        seen["cursor"] = (cur.rowcount, cur.query, cur.statusmessage)
        seen["status"] = conn.info.transaction_status
        seen["failed"] = conn.info.error_message is not None
        other = conn.cursor()
        try:
            other.execute("SELECT count(*), sum(a) FROM cut")
            seen["rows"] = other.fetchone()
        except module.Error as error:
            seen["rows"] = error.pgcode
        conn.rollback()
        other.execute("SELECT count(*) FROM cut")
        seen["kept"] = other.fetchone()
        return seen
    finally:
        conn.close()


@pytest.fixture
def same(dsn: str) -> Callable[[Act], None]:
    """Asserts that an action on kecoa leaves what it leaves on psycopg2."""

    def compare(act: Act) -> None:
        theirs, ours = (observed(module, dsn, act) for module in (psycopg2, kecoa))
        assert ours == theirs

    return compare


@pytest.mark.parametrize("bad", [None, 300, 790])
def test_a_cursor_that_is_closed_by_the_rows(same: Callable[[Act], None], bad: int | None) -> None:
    same(lambda module, conn, cur: cur.executemany(INSERT, numbers(bad, {INTERRUPTED: cur.close})))


@pytest.mark.parametrize("bad", [None, 300, 790])
def test_a_cursor_that_is_closed_by_an_adapter(same: Callable[[Act], None], bad: int | None) -> None:
    class Closing:
        def __init__(self, cur: Any) -> None:
            self.cur = cur

    class Adapter:
        def __init__(self, wrapped: Closing) -> None:
            self.wrapped = wrapped

        def getquoted(self) -> bytes:
            self.wrapped.cur.close()
            return b"7"

    def act(module: Any, conn: Any, cur: Any) -> None:
        module.extensions.register_adapter(Closing, Adapter)
        rows = list(numbers(bad, {}))
        rows[INTERRUPTED] = (Closing(cur),)
        cur.executemany(INSERT, rows)

    same(act)


@pytest.mark.parametrize("bad", [None, 300, 790])
def test_the_error_of_a_row_comes_before_that_of_the_rows_behind_it(
    same: Callable[[Act], None], bad: int | None
) -> None:
    def stop() -> None:
        raise ValueError("no more")

    same(lambda module, conn, cur: cur.executemany(INSERT, numbers(bad, {INTERRUPTED: stop})))


def test_an_interrupt_is_not_lost_to_the_error_of_a_row(conn: Any) -> None:
    stopped = []

    def stop() -> None:
        stopped.append(1)
        raise KeyboardInterrupt

    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE cut (a int)")
    with pytest.raises((KeyboardInterrupt, errors.InvalidTextRepresentation)) as caught:
        cur.executemany(INSERT, numbers(300, {INTERRUPTED: stop}))
    # A server that is quick to answer is read before that row is asked for.
    if stopped:
        assert isinstance(caught.value, KeyboardInterrupt)
        assert isinstance(caught.value.__context__, errors.InvalidTextRepresentation)
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR
    with pytest.raises(errors.InFailedSqlTransaction):
        cur.execute("SELECT 1")
    conn.rollback()
    cur.execute("SELECT 17")
    assert cur.fetchone() == (17,)


@pytest.mark.parametrize("bad", [None, 1300])
def test_an_executemany_inside_of_another(same: Callable[[Act], None], bad: int | None) -> None:
    def act(module: Any, conn: Any, cur: Any) -> Any:
        inner = conn.cursor()
        counts = []

        def again() -> None:
            inner.executemany(INSERT, numbers(None, {}, 1100))
            counts.append(inner.rowcount)

        cur.executemany(INSERT, numbers(bad, {600: again, INTERRUPTED: again}))
        return cur.rowcount, counts

    same(act)


def test_an_executemany_inside_of_another_does_not_take_its_error(conn: Any) -> None:
    cur, inner = conn.cursor(), conn.cursor()
    cur.execute("CREATE TEMP TABLE cut (a int)")
    cur.execute("SAVEPOINT s")

    def again() -> None:
        with pytest.raises(errors.InFailedSqlTransaction):
            inner.execute("SELECT 1")
        inner.execute("ROLLBACK TO SAVEPOINT s")
        inner.executemany(INSERT, numbers(None, {}, 1100))

    with pytest.raises(errors.InvalidTextRepresentation) as caught:
        cur.executemany(INSERT, numbers(300, {INTERRUPTED: again}))
    assert caught.value.cursor is cur
    assert cur.query == b"INSERT INTO cut VALUES ('x')"


def test_threads_that_insert_at_a_time_each_have_their_own_answers(conn: Any) -> None:
    conn.cursor().execute("CREATE TEMP TABLE cut (a int)")
    cursors = [conn.cursor() for _ in range(3)]
    rows = [(n,) for n in range(6000)]
    threads = [threading.Thread(target=cur.executemany, args=(INSERT, rows)) for cur in cursors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [cur.rowcount for cur in cursors] == [6000] * 3


def test_a_connection_that_is_closed_by_the_rows(connect: Callable[..., Any]) -> None:
    conn = connect()
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE cut (a int)")
    with pytest.raises(kecoa.InterfaceError, match="connection already closed"):
        cur.executemany(INSERT, numbers(None, {INTERRUPTED: conn.close}))
    assert conn.closed


SLOW = """
CREATE FUNCTION pg_temp.slow(i int) RETURNS int LANGUAGE plpgsql AS
$$BEGIN IF i = 400 THEN PERFORM pg_sleep(%s); END IF; RETURN i; END$$
"""
INSERT_SLOWLY = "INSERT INTO cut SELECT pg_temp.slow(%s)"


@pytest.fixture
def slow(connect: Callable[..., Any]) -> Callable[[float], Any]:
    """A cursor on which the row 400 takes a number of seconds."""

    def make(seconds: float) -> Any:
        cur = connect().cursor()
        cur.execute("CREATE TEMP TABLE cut (a int)")
        cur.execute(SLOW, (seconds,))
        return cur

    return make


@pytest.mark.parametrize("count", [450, 1600])
def test_a_limit_on_time_says_so(slow: Callable[[float], Any], count: int) -> None:
    cur = slow(60)
    cur.connection.statement_timeout = 0.3
    with pytest.raises(errors.QueryCanceled, match="limit of 300ms: it was cancelled"):
        cur.executemany(INSERT_SLOWLY, numbers(None, {}, count))
    assert cur.rowcount == -1
    cur.connection.rollback()
    cur.execute("SELECT 1")
    assert cur.fetchone() == (1,)


def test_a_limit_on_another_statement_is_no_limit_on_what_was_sent_before(
    slow: Callable[[float], Any],
) -> None:
    cur = slow(0.8)
    other = cur.connection.cursor()
    quick = {700: lambda: other.execute("SELECT 5", timeout=0.4)}
    cur.executemany(INSERT_SLOWLY, numbers(None, quick, 1600))
    assert cur.rowcount == 1600
    assert other.fetchone() == (5,)


def test_a_limit_holds_for_what_was_sent_while_another_statement_waits(slow: Callable[[float], Any]) -> None:
    cur = slow(60)
    other = cur.connection.cursor()
    cur.connection.statement_timeout = 0.3
    seen: list[Any] = []

    def ask() -> None:
        with pytest.raises(errors.QueryCanceled, match="limit of 300ms: it was cancelled"):
            other.execute("SELECT 5", timeout=60)
        seen.append(5)

    with pytest.raises(errors.QueryCanceled, match="limit of 300ms: it was cancelled"):
        cur.executemany(INSERT_SLOWLY, numbers(None, {700: ask}, 1600))
    assert seen == [5]


@pytest.mark.parametrize("waits", ["for the rows", "for another statement"])
def test_ctrl_c_while_a_request_is_waited_for(slow: Callable[[float], Any], waits: str) -> None:
    cur = slow(60)
    other = cur.connection.cursor()
    at = {700: lambda: other.execute("SELECT 5")} if waits == "for another statement" else {}
    # A shell may have it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            cur.executemany(INSERT_SLOWLY, numbers(None, at, 1600))
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert cur.connection.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR
    cur.connection.rollback()
    cur.execute("CREATE TEMP TABLE cut (a int)")
    cur.executemany(INSERT, numbers(None, {}, 1600))
    assert cur.rowcount == 1600
