"""What `kecoa.sqlalchemy.run_transaction` tries again, and what it does not, with five drivers."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kecoa import AmbiguousCommitError, RetryPolicy
from kecoa.sqlalchemy import run_transaction
from tests.sqlalchemy.retry.bench import POLICY, Quiet, at_commit, at_flush, in_body, insert

WHERE = {"body": (in_body, "quiet"), "flush": (at_flush, "at_flush"), "commit": (at_commit, "at_commit")}


@pytest.mark.parametrize("where", WHERE)
def test_40001_is_tried_again(bench, kind, where):
    body, table = WHERE[where]
    bench.strike(2)
    assert bench.run(kind, body) == "done"
    assert bench.decisions == ["retry", "retry", "committed"]
    assert [report.number for report in bench.reports] == [1, 2, 3]
    assert bench.rows(table) == [(1, "moved")]


@pytest.mark.parametrize("where", ["body", "flush"])
def test_a_connection_lost_before_commit_is_replaced(bench, kind, where):
    body, table = WHERE[where]
    bench.strike(1, "lost")
    assert bench.run(kind, body) == "done"
    assert bench.decisions == ["reconnect", "committed"]
    assert bench.rows(table) == [(1, "moved")]


@pytest.mark.parametrize("sqlstate", ["lost", "40003"])
def test_an_unknown_outcome_of_commit_is_an_error_of_its_own(bench, kind, sqlstate):
    bench.strike(1, sqlstate)
    with pytest.raises(AmbiguousCommitError, match="look up what it would have written") as caught:
        bench.run(kind, at_commit)
    assert bench.decisions == ["ambiguous"]
    assert isinstance(caught.value.__cause__, sa.exc.DBAPIError)
    assert caught.value.attempts == 1


def test_other_errors_are_raised_at_once(bench, kind):
    bench.strike(9, "22023")
    with pytest.raises(sa.exc.DBAPIError):
        bench.run(kind, in_body)
    assert bench.decisions == ["give_up"]
    assert bench.rows("quiet") == []


def test_an_exhausted_policy_raises_the_last_error_and_says_how_long_it_was_tried(bench, kind):
    bench.strike(99)
    with pytest.raises(sa.exc.DBAPIError, match="struck") as caught:
        bench.run(kind, at_commit)
    assert bench.decisions == ["retry"] * 4 + ["give_up"]
    assert caught.value.attempts == 5
    assert caught.value.elapsed > 0
    assert bench.rows("at_commit") == []


def test_errors_are_found_behind_causes(bench, kind):
    class Unavailable(Exception):
        pass

    def body(handle):
        try:
            return in_body(handle)
        except sa.exc.DBAPIError as error:
            raise Unavailable from error

    bench.strike(1)
    assert bench.run(kind, body) == "done"
    assert bench.decisions == ["retry", "committed"]


def test_a_real_conflict_of_serializable_transactions(bench, kind):
    """Write skew: both read what the other writes. The second to commit is refused, and sees the first then."""
    bench.strike(0)
    seen = []

    def total(handle):
        return handle.execute(sa.text("SELECT count(*) FROM quiet")).scalar_one()

    def body(handle):
        seen.append(total(handle))
        if len(seen) == 1:
            other = bench.observer.execution_options(isolation_level="SERIALIZABLE")
            with other.begin() as conn:
                conn.execute(sa.insert(Quiet.__table__).values(id=100 + total(conn)))
        insert(handle, "quiet", id=1 + seen[-1])

    bench.run(kind, body, execution_options={"isolation_level": "SERIALIZABLE"})
    assert bench.decisions == ["retry", "committed"]
    assert seen == [0, 1]


def test_an_interrupt_ends_the_run(bench, kind):
    class Interrupt(BaseException):
        pass

    def body(handle):
        insert(handle, "quiet")
        raise Interrupt

    bench.strike(0)
    with pytest.raises(Interrupt):
        bench.run(kind, body)
    assert bench.rows("quiet") == []


# Virtual time, and drivers that only tests have.


class Clock:
    def __init__(self):
        self.time = 0.0
        self.slept = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds

    def random(self):
        return 0.5


def test_delays_are_the_policys_and_take_no_time_of_ours(bench, kind):
    clock = Clock()
    bench.strike(3)
    bench.run(kind, at_commit, policy=RetryPolicy(), runtime=clock)
    assert clock.slept == [0.05, 0.1, 0.2]


class Diagnosed(Exception):
    def __init__(self, sqlstate):
        super().__init__("conflict")
        self.diag = type("Diag", (), {"sqlstate": sqlstate})()


class Fields(Exception):
    def __init__(self, sqlstate):
        super().__init__({"S": "ERROR", "C": sqlstate, "M": "conflict"})


@pytest.mark.parametrize("driver_error", [Diagnosed, Fields])
def test_sqlstates_are_found_wherever_drivers_put_them(engine, driver_error):
    strikes = iter([driver_error("40001"), driver_error("40001"), None])

    def body(conn):
        error = next(strikes)
        if error is not None:
            raise sa.exc.DBAPIError("SELECT 1", {}, error)
        return "done"

    assert run_transaction(engine, body, policy=POLICY) == "done"
