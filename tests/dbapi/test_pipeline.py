"""`connection.pipeline()`: statements that are sent without waiting for those before them."""

from __future__ import annotations

from typing import Any

import pytest

import kecoa
from kecoa import errors


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
