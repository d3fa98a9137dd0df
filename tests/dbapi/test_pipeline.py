"""`connection.pipeline()`: statements that are sent without waiting for those before them."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest

import kecoa
from kecoa import errors
from kecoa.pool import Pool, SimpleConnectionPool


def test_each_cursor_has_its_result(conn: Any) -> None:
    with conn.pipeline() as pipe:
        cursors = [pipe.execute("SELECT %s, n FROM generate_series(1, 2) n", (i,)) for i in range(100)]
        with pytest.raises(kecoa.ProgrammingError, match="no results"):
            cursors[0].fetchone()
    assert [cur.fetchall() for cur in cursors] == [[(i, 1), (i, 2)] for i in range(100)]
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INTRANS
    conn.rollback()


def test_sync_sends_what_is_queued_and_more_may_follow(conn: Any) -> None:
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE piped (a int)")
    with conn.pipeline() as pipe:
        assert pipe.execute("INSERT INTO piped VALUES (1), (2)", cursor=cur) is cur
        pipe.sync()
        assert (cur.rowcount, cur.statusmessage) == (2, "INSERT 0 2")
        found = pipe.execute("SELECT sum(a) FROM piped")
        pipe.sync()
        assert found.fetchone() == (3,)
        pipe.sync()


def test_nothing_behind_an_error_runs_in_a_transaction(conn: Any) -> None:
    with pytest.raises(errors.DivisionByZero), conn.pipeline() as pipe:
        first = pipe.execute("SELECT 1")
        failed = pipe.execute("SELECT 1 / 0")
        behind = pipe.execute("SELECT 2")
    assert first.fetchall() == [(1,)]
    for cur in (failed, behind):
        with pytest.raises(kecoa.ProgrammingError, match="no results"):
            cur.fetchone()
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR
    conn.rollback()
    with pytest.raises(errors.SyntaxError), conn.pipeline() as pipe:
        pipe.execute("nonsense")
        pipe.execute("CREATE TABLE must_not_be (a int)")
    conn.rollback()
    cur = conn.cursor()
    cur.execute("SELECT to_regclass('must_not_be')")
    assert cur.fetchone() == (None,)


def test_statements_that_commit_by_themselves_go_on(conn: Any) -> None:
    conn.autocommit = True
    with pytest.raises(errors.DivisionByZero), conn.pipeline() as pipe:
        pipe.execute("SELECT 1 / 0")
        behind = pipe.execute("SELECT 2")
    assert behind.fetchall() == [(2,)]


def test_a_block_that_fails_sends_nothing(conn: Any) -> None:
    cur = conn.cursor()
    with pytest.raises(ZeroDivisionError), conn.pipeline() as pipe:
        pipe.execute("SELECT 1", cursor=cur)
        raise ZeroDivisionError
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_IDLE


def test_cursors_of_others_are_refused(conn: Any, connect: Any) -> None:
    pipe = conn.pipeline()
    for other in (connect().cursor(), conn.cursor("named")):
        with pytest.raises(kecoa.ProgrammingError, match="expected an unnamed cursor"):
            pipe.execute("SELECT 1", cursor=other)


def test_large_statements_and_results_do_not_block_each_other(conn: Any) -> None:
    text = "x" * 300_000
    with conn.pipeline() as pipe:
        cursors = [pipe.execute("SELECT repeat(%s, 3)", (text,)) for _ in range(30)]
    assert all(cur.fetchone() == (text * 3,) for cur in cursors)


#: What else may be done with a connection, and what it then finds in the table.
OTHERS: dict[str, Any] = {
    "execute": lambda conn, cur: cur.execute("SELECT max(n) FROM queued"),
    "by server binding": lambda conn, cur: cur.execute("SELECT max(n) FROM queued", binding="server"),
    "executemany": lambda conn, cur: cur.executemany(
        "INSERT INTO queued SELECT max(n) + %s FROM queued", [(0,), (0,)]
    ),
    "a cursor on the server": lambda conn, cur: conn.cursor("c").execute("SELECT max(n) FROM queued"),
    "stream": lambda conn, cur: cur.stream("SELECT max(n) FROM queued").close(),
    "copy": lambda conn, cur: cur.copy_expert("COPY queued TO STDOUT", io.StringIO()),
    "copy_arrow": lambda conn, cur: cur.execute_arrow("SELECT max(n) FROM queued"),
    "lobject": lambda conn, cur: conn.lobject().close(),
    "commit": lambda conn, cur: conn.commit(),
    "another pipeline": lambda conn, cur: conn.pipeline().sync(),
}


@pytest.mark.parametrize("other", OTHERS)
def test_statements_run_in_the_order_of_their_calls(conn: Any, other: str) -> None:
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE queued (n int); INSERT INTO queued VALUES (0)")
    with conn.pipeline() as pipe:
        piped = pipe.execute("UPDATE queued SET n = n + 1 RETURNING n")
        OTHERS[other](conn, cur)
        assert piped.fetchall() == [(1,)]
        behind = pipe.execute("SELECT max(n) FROM queued")
    assert behind.fetchone() == (1,)
    if cur.description and other != "copy_arrow":
        assert cur.fetchone() == (1,)
    conn.rollback()


def test_pipelines_of_a_connection_run_in_the_order_of_the_calls(conn: Any) -> None:
    outer, inner = conn.pipeline(), conn.pipeline()
    cursors = [pipe.execute("SELECT %s", (n,)) for n, pipe in enumerate([outer, inner, outer])]
    inner.sync()
    assert [cur.fetchone() for cur in cursors] == [(0,), (1,), (2,)]
    with pytest.raises(ZeroDivisionError), inner:
        dropped = inner.execute("SELECT 3")
        kept = outer.execute("SELECT 4")
        raise ZeroDivisionError
    outer.sync()
    assert kept.fetchone() == (4,)
    assert dropped.description is None


def test_an_error_of_what_is_queued_keeps_the_next_from_running(conn: Any) -> None:
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE queued (n int)")
    with conn.pipeline() as pipe:
        pipe.execute("SELECT 1 / 0")
        with pytest.raises(errors.DivisionByZero):
            cur.execute("INSERT INTO queued VALUES (1)")
    cur.execute("SELECT count(*) FROM queued")
    assert cur.fetchone() == (0,)


def test_rollback_undoes_what_was_queued_before_it(conn: Any) -> None:
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE queued (n int)")
    conn.commit()
    with conn.pipeline() as pipe:
        piped = pipe.execute("INSERT INTO queued VALUES (1)")
        conn.rollback()
        assert piped.rowcount == 1
        pipe.execute("SELECT 1 / 0")
        conn.rollback()
        pipe.execute("INSERT INTO queued VALUES (2)")
        conn.commit()
    cur.execute("SELECT n FROM queued")
    assert cur.fetchall() == [(2,)]


def test_settings_of_transactions_come_behind_what_is_queued(conn: Any) -> None:
    with conn.pipeline() as pipe:
        piped = pipe.execute("SELECT 1")
        with pytest.raises(kecoa.ProgrammingError, match="inside a transaction"):
            conn.autocommit = True
        assert piped.fetchone() == (1,)
    conn.rollback()


def test_a_block_of_the_connection_ends_with_what_was_queued_in_it(conn: Any) -> None:
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE queued (n int)")
    pipe = conn.pipeline()
    pipe.execute("INSERT INTO queued VALUES (1)")
    with pytest.raises(ZeroDivisionError), conn:
        pipe.execute("INSERT INTO queued VALUES (2)")
        raise ZeroDivisionError
    with pytest.raises(errors.DivisionByZero), conn:
        pipe.execute("INSERT INTO queued VALUES (3)")
        pipe.execute("SELECT 1 / 0")
    with conn:
        pipe.execute("INSERT INTO queued VALUES (4)")
    cur.execute("SELECT n FROM queued ORDER BY n")
    assert cur.fetchall() == [(1,), (4,)]


def test_another_thread_sends_what_is_queued_and_leaves_the_error(conn: Any) -> None:
    conn.autocommit = True
    pipe = conn.pipeline()
    piped = pipe.execute("SELECT 1")
    pipe.execute("SELECT 1 / 0")
    found = []

    def other() -> None:
        cur = conn.cursor()
        cur.execute("SELECT 2")
        found.append(cur.fetchone())

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found == [(2,)]
    assert piped.fetchone() == (1,)
    with pytest.raises(errors.DivisionByZero):
        pipe.sync()
    pipe.sync()


@pytest.mark.parametrize("kind", [Pool, SimpleConnectionPool])
def test_what_was_never_sent_is_not_the_next_users(dsn: str, kind: Any) -> None:
    pool = kind(dsn, min_size=1) if kind is Pool else kind(1, 1, dsn)
    for _ in range(2):
        conn = pool.getconn()
        cur = conn.cursor()
        cur.execute("SELECT to_regclass('not_sent')")
        assert cur.fetchone() == (None,)
        conn.rollback()
        conn.pipeline().execute("CREATE TEMP TABLE not_sent (n int)")
        conn.poll()
        assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_IDLE
        pool.putconn(conn)
    (pool.close if kind is Pool else pool.closeall)()


def test_text_behind_a_change_of_the_encoding_is_sent_in_the_new_one(conn: Any) -> None:
    cur = conn.cursor()
    with conn.pipeline() as pipe:
        pipe.execute("SET client_encoding TO 'LATIN1'")
        cur.execute("SELECT %s, length('é')", ("é",))
    assert cur.fetchone() == ("é", 1)
