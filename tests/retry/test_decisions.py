"""What is tried again, after which waits, and what is not: scripted connections in virtual time."""

from __future__ import annotations

import asyncio
import sys

import pytest

from kecoa import RetryPolicy, run_transaction
from tests.retry.script import Clock, Conn, DriverError, body


def test_commits_once_and_returns_the_result():
    conn = Conn()
    assert run_transaction(conn, body, runtime=Clock()) == "done"
    assert conn.log == ["statement", "commit"]


def test_a_statements_serialization_failure_is_retried_after_a_rollback():
    conn, clock = Conn("40001"), Clock()
    assert run_transaction(conn, body, runtime=clock) == "done"
    assert conn.log == ["statement", "rollback", "statement", "commit"]
    assert clock.slept == [0.05]  # half of the first delay of 100 ms


def test_a_commits_serialization_failure_is_retried():
    conn = Conn(None, "40001", None, "40001")
    assert run_transaction(conn, body, runtime=Clock()) == "done"
    assert conn.log.count("statement") == 3
    assert conn.log[-1] == "commit"


def test_delays_double_up_to_the_cap():
    clock = Clock()
    conn = Conn(*["40001"] * 9)
    policy = RetryPolicy(first_delay=1, max_delay=4, total=None, jitter=False)
    run_transaction(conn, body, policy=policy, runtime=clock)
    assert clock.slept == [1, 2, 4, 4, 4, 4, 4, 4, 4]


def test_exhausted_attempts_raise_the_last_error_and_say_how_long():
    clock = Clock()
    conn = Conn(*["40001"] * 20)
    with pytest.raises(DriverError) as raised:
        run_transaction(conn, body, policy=RetryPolicy(max_attempts=3, jitter=False), runtime=clock)
    assert conn.log.count("statement") == 3
    assert conn.log[-1] == "rollback"
    assert raised.value.attempts == 3
    assert raised.value.elapsed == pytest.approx(0.3)
    if sys.version_info >= (3, 11):
        assert "3 attempts" in raised.value.__notes__[0]


def test_the_total_time_is_a_limit():
    conn, clock = Conn(*["40001"] * 20), Clock()
    policy = RetryPolicy(first_delay=1, max_delay=1, total=2.5, jitter=False)
    with pytest.raises(DriverError):
        run_transaction(conn, body, policy=policy, runtime=clock)
    assert clock.slept == [1, 1, 0.5]  # the last wait is cut short
    assert conn.log.count("statement") == 4


@pytest.mark.parametrize("sqlstate", ["23505", "42601", "40003x", "57014", "55C01", "XXA00"])
def test_other_errors_are_raised_at_once(sqlstate):
    conn = Conn(sqlstate)
    with pytest.raises(DriverError):
        run_transaction(conn, body, runtime=Clock())
    assert conn.log == ["statement", "rollback"]


def test_an_error_of_the_program_rolls_back():
    conn = Conn()

    def wrong(conn):
        conn.execute()
        raise ValueError("no funds")

    with pytest.raises(ValueError, match="no funds"):
        run_transaction(conn, wrong, runtime=Clock())
    assert conn.log == ["statement", "rollback"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_an_interruption_is_never_retried(interruption):
    conn = Conn("40001")

    def interrupted(conn):
        try:
            conn.execute()
        except DriverError:
            raise interruption from None

    with pytest.raises(interruption):
        run_transaction(conn, interrupted, runtime=Clock())
    assert conn.log == ["statement", "rollback"]


class Wrapped(Exception):
    pass


def as_cause(error):
    raise Wrapped from error


def as_context(error):
    try:
        raise error
    except Exception:
        raise Wrapped  # noqa: B904


def as_orig(error):
    wrapped = Wrapped()
    wrapped.orig = error
    raise wrapped


def twice(error):
    try:
        as_orig(error)
    except Wrapped as inner:
        raise Wrapped from inner


@pytest.mark.parametrize("wrap", [as_cause, as_context, as_orig, twice])
def test_a_wrapped_serialization_failure_is_found(wrap):
    conn = Conn("40001")

    def wrapping(conn):
        try:
            conn.execute()
        except DriverError as error:
            wrap(error)

    run_transaction(conn, wrapping, runtime=Clock())
    assert conn.log.count("statement") == 2


def test_a_serialization_failure_outside_is_no_reason():
    """run_transaction inside an except block: every error in the body has that one as its context."""
    conn = Conn("23505")
    try:
        raise DriverError("40001")
    except DriverError:
        with pytest.raises(DriverError):
            run_transaction(conn, body, runtime=Clock())
    assert conn.log.count("statement") == 1


def test_a_hidden_context_is_left_alone():
    conn = Conn("40001")

    def hides(conn):
        try:
            conn.execute()
        except DriverError:
            raise ValueError("given up") from None

    with pytest.raises(ValueError, match="given up"):
        run_transaction(conn, hides, runtime=Clock())


def test_a_cycle_of_causes_ends():
    one, two = Wrapped(), Wrapped()
    one.__cause__, two.__cause__ = two, one
    conn = Conn(one)
    with pytest.raises(Wrapped):
        run_transaction(conn, body, runtime=Clock())
