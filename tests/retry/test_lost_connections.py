"""Connections that end: replaced before COMMIT, never after it; pools get theirs back."""

from __future__ import annotations

import sys

import pytest

import kecoa
from kecoa import run_transaction
from kecoa.retry import AmbiguousCommitError
from tests.retry.script import Clock, Conn, DriverError, OperationalError, Pool, body


def test_a_connection_lost_before_commit_is_replaced_by_a_function():
    log: list[str] = []
    made = [Conn("lost", log=log), Conn(log=log)]
    assert run_transaction(lambda: made.pop(0), body, runtime=Clock()) == "done"
    assert log == ["statement", "rollback", "close", "statement", "commit", "close"]


def test_a_server_that_comes_back_later():
    log: list[str] = []
    outcomes = [Conn("lost", log=log), OperationalError(None), OperationalError("57P03"), Conn(log=log)]

    def connect():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    clock = Clock()
    assert run_transaction(connect, body, runtime=clock) == "done"
    assert len(clock.slept) == 3


def test_a_first_connection_that_fails_is_not_retried():
    def connect():
        raise OperationalError(None, "refused")

    with pytest.raises(OperationalError, match="refused"):
        run_transaction(connect, body, runtime=Clock())


def test_a_password_that_is_wrong_afterwards_is_not_retried():
    outcomes = [Conn("lost"), OperationalError("28P01")]

    def connect():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with pytest.raises(OperationalError) as raised:
        run_transaction(connect, body, runtime=Clock())
    assert raised.value.pgcode == "28P01"


def test_a_connection_lost_without_another_is_raised():
    conn = Conn("lost")
    with pytest.raises(OperationalError) as raised:
        run_transaction(conn, body, runtime=Clock())
    assert raised.value.attempts == 1
    if sys.version_info >= (3, 11):
        assert "lost before COMMIT" in raised.value.__notes__[0]


def test_a_pool_gets_its_connections_back():
    lost, good = Conn("lost"), Conn()
    pool = Pool(lost, good)
    run_transaction(pool, body, runtime=Clock())
    assert pool.back == [lost, good]
    assert lost.closed
    assert not good.closed


def test_a_pool_gets_its_connection_back_after_an_error():
    conn = Conn("23505")
    pool = Pool(conn)
    with pytest.raises(DriverError):
        run_transaction(pool, body, runtime=Clock())
    assert pool.back == [conn]


@pytest.mark.parametrize("script", [[None, "lost"], [None, "40003"], ["40003"]])
def test_an_unknown_outcome_is_never_retried(script):
    log: list[str] = []
    with pytest.raises(AmbiguousCommitError) as raised:
        run_transaction(lambda: Conn(*script, log=log), body, runtime=Clock())
    assert log.count("statement") == 1
    assert isinstance(raised.value, kecoa.OperationalError)
    assert isinstance(raised.value.__cause__, DriverError)
    assert raised.value.attempts == 1
    assert "may or may not have been committed" in str(raised.value)
