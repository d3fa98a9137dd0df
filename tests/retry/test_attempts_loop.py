"""`for attempt in attempts(...): with attempt as conn`, in virtual time."""

from __future__ import annotations

import sys

import pytest

from kecoa import attempts
from kecoa.retry import AmbiguousCommitError
from tests.retry.script import Clock, Conn, DriverError


def test_the_loop():
    conn = Conn("40001", None, "40001")
    numbers = []
    for attempt in attempts(conn, runtime=Clock()):
        with attempt as tx:
            assert tx is conn
            numbers.append(attempt.number)
            tx.execute()
    assert numbers == [1, 2, 3]
    assert conn.log[-2:] == ["statement", "commit"]


def test_the_loop_raises_what_is_final():
    with pytest.raises(DriverError):
        for attempt in attempts(Conn("23505"), runtime=Clock()):
            with attempt as tx:
                tx.execute()


def test_the_loop_and_an_unknown_outcome():
    with pytest.raises(AmbiguousCommitError):
        for attempt in attempts(Conn(None, "lost"), runtime=Clock()):
            with attempt as tx:
                tx.execute()


def test_the_loop_left_by_return_commits():
    conn = Conn()

    def work():
        for attempt in attempts(conn, runtime=Clock()):
            with attempt as tx:
                tx.execute()
                return "returned"

    assert work() == "returned"
    assert conn.log == ["statement", "commit"]


def test_the_loop_left_by_return_never_hides_a_commit_that_failed():
    """Nobody is left to try again: a silent return would be a lost transaction."""
    conn = Conn(None, "40001")

    def work():
        for attempt in attempts(conn, runtime=Clock()):
            with attempt as tx:
                tx.execute()
                return "returned"

    with pytest.raises(DriverError) as raised:
        work()
    if sys.version_info >= (3, 11):
        assert "left by return or break" in raised.value.__notes__[0]


def test_the_loop_left_by_break_inside_another_loop():
    conn = Conn(None, "40001")

    def work():
        for _ in range(2):
            for attempt in attempts(conn, runtime=Clock()):
                with attempt as tx:
                    tx.execute()
                    break

    with pytest.raises(DriverError):
        work()


def test_a_return_behind_the_block_never_hides_a_failure():
    conn = Conn("40001")

    def work():
        for attempt in attempts(conn, runtime=Clock()):
            with attempt as tx:
                tx.execute()
            return "after a failed attempt"

    with pytest.raises(DriverError):
        work()


def test_code_behind_the_block_is_fine():
    conn = Conn(None, "40001")
    ends = []
    for attempt in attempts(conn, runtime=Clock()):
        with attempt as tx:
            for _ in range(1):
                tx.execute()
        for _ in range(2):
            ends.append(attempt.number)
    assert ends == [1, 1, 2, 2]


def test_an_attempt_must_be_entered():
    with pytest.raises(RuntimeError, match="entered"):
        for _attempt in attempts(Conn(), runtime=Clock()):
            pass


def test_an_attempt_is_entered_once():
    for attempt in attempts(Conn(), runtime=Clock()):
        with attempt:
            with pytest.raises(RuntimeError, match="once"):
                attempt.__enter__()


def test_an_attempt_ends_once():
    error = DriverError("23505")
    attempt = next(attempts(Conn(), runtime=Clock()))
    attempt.__enter__()
    assert not attempt.__exit__(DriverError, error, None)
    with pytest.raises(RuntimeError, match="ends once"):
        attempt.__exit__(None, None, None)
