"""What a body may not do, what may be passed in its place, and the options of a run."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

import pytest

import kecoa
import kecoa.aio
from kecoa import RetryPolicy, run_transaction, transactional
from kecoa.retry import AmbiguousCommitError
from tests.retry.script import Clock, Conn, DriverError, Pool, body


def test_a_body_that_swallows_a_failure_is_refused():
    conn = Conn("40001")

    def swallows(conn):
        try:
            conn.execute()
        except DriverError:
            return "all is well"

    with pytest.raises(kecoa.ProgrammingError, match="had failed"):
        run_transaction(conn, swallows, runtime=Clock())
    assert "commit" not in conn.log


def test_a_body_that_closes_its_connection_is_refused():
    with pytest.raises(kecoa.ProgrammingError, match="closed"):
        run_transaction(Conn(), lambda conn: conn.close(), runtime=Clock())


def test_a_body_that_committed_and_closed_gets_to_know_what_is_committed():
    def body(conn):
        conn.commit()
        conn.close()

    with pytest.raises(kecoa.ProgrammingError, match="committed by itself"):
        run_transaction(Counting(), body, runtime=Clock())
    with pytest.raises(kecoa.ProgrammingError, match="nothing is committed but what it committed by itself"):
        run_transaction(Conn(), body, runtime=Clock())


def test_a_body_that_hides_a_lost_connection_is_refused():
    def body(conn):
        conn.closed = 2

    with pytest.raises(kecoa.ProgrammingError, match="was lost inside the body"):
        run_transaction(Conn(), body, runtime=Clock())


class Counting(Conn):
    """Counts its commits, as kecoa's connections do."""

    _commits = 0

    def commit(self):
        super().commit()
        self._commits += 1


def commits_by_itself(conn):
    conn.execute()
    conn.commit()
    conn.execute()


def test_a_body_that_commits_is_refused():
    conn = Counting()
    with pytest.raises(kecoa.ProgrammingError, match="committed by itself"):
        run_transaction(conn, commits_by_itself, runtime=Clock())
    assert conn.log[-1] == "rollback"


def test_a_body_that_committed_is_not_run_again():
    conn = Counting(None, None, "40001")
    with pytest.raises(DriverError) as raised:
        run_transaction(conn, commits_by_itself, runtime=Clock())
    assert conn.log.count("statement") == 2
    if sys.version_info >= (3, 11):
        assert "committed by itself" in raised.value.__notes__[0]


def test_a_connection_inside_a_transaction_is_refused():
    conn = Conn()
    conn.execute()
    with pytest.raises(kecoa.ProgrammingError, match="outside a transaction"):
        run_transaction(conn, body, runtime=Clock())
    assert conn.log == ["statement"]


@pytest.mark.parametrize("source", [None, 7, "postgresql://"])
def test_a_source_that_is_none(source):
    with pytest.raises(TypeError, match="expected a connection, a pool"):
        run_transaction(source, body)


def test_a_source_of_asyncio_is_refused():
    pool = kecoa.aio.AsyncConnectionPool("host=127.0.0.1 port=1")
    for source in (pool, lambda: kecoa.aio.connect("host=127.0.0.1 port=1")):
        with pytest.raises(TypeError, match=r"use kecoa\.aio\.run_transaction"):
            run_transaction(source, body)
        with pytest.raises(TypeError, match=r"use kecoa\.aio\.run_transaction"):
            for attempt in kecoa.attempts(source):
                with attempt:
                    pass


def test_a_transaction_within_another_says_what_to_call(dsn):
    conn = kecoa.connect(dsn)

    def outer(conn):
        conn.cursor().execute("SELECT 1")
        run_transaction(conn, body)

    with pytest.raises(kecoa.ProgrammingError, match="call the function by itself"):
        run_transaction(conn, outer)
    conn.close()


def test_a_closed_connection_is_called_closed(dsn):
    conn = kecoa.connect(dsn)
    conn.close()
    with pytest.raises(kecoa.InterfaceError, match="found one that is closed"):
        run_transaction(conn, body)


def test_a_coroutine_function_is_refused():
    async def coroutine(conn):
        pass

    with pytest.raises(TypeError, match="coroutine"):
        run_transaction(Conn(), coroutine)
    with pytest.raises(TypeError, match="coroutine"):
        transactional(coroutine)


def test_hooks_see_each_attempt():
    seen = []
    conn = Conn("40001", None, "40001")
    run_transaction(conn, body, on_attempt=seen.append, runtime=Clock())
    assert [(r.number, r.decision, getattr(r.error, "pgcode", None), r.wait) for r in seen] == [
        (1, "retry", "40001", 0.05),
        (2, "retry", "40001", 0.1),
        (3, "committed", None, 0.0),
    ]
    assert seen[-1].elapsed >= 0


@pytest.mark.parametrize(("script", "decision"), [(["23505"], "give_up"), ([None, "lost"], "ambiguous")])
def test_hooks_see_the_end(script, decision):
    seen = []
    with pytest.raises((DriverError, AmbiguousCommitError)):
        run_transaction(Conn(*script), body, on_attempt=seen.append, runtime=Clock())
    assert [r.decision for r in seen] == [decision]


def test_an_error_in_a_hook_ends_the_run():
    conn = Conn("40001")
    pool = Pool(conn)

    def hook(report):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_transaction(pool, body, on_attempt=hook, runtime=Clock())
    assert pool.back == [conn]


def test_hooks_see_a_body_that_left_nothing_to_commit():
    def catches(conn):
        with suppress(DriverError):
            conn.execute()
            conn.execute()

    seen = []
    with pytest.raises(kecoa.ProgrammingError, match="not raised again") as raised:
        run_transaction(Conn(None, "40001"), catches, on_attempt=seen.append, runtime=Clock())
    assert [(r.number, r.decision, r.error) for r in seen] == [(1, "give_up", raised.value)]
    assert raised.value.attempts == 1


@pytest.mark.parametrize("interrupted", ["sleep", "commit is reported"])
def test_a_pool_gets_its_connection_back_whatever_is_interrupted(interrupted):
    class Interrupting(Clock):
        def sleep(self, seconds):
            raise KeyboardInterrupt

    def hook(report):
        if report.decision == "committed":
            raise KeyboardInterrupt

    conn = Conn(*["40001"] if interrupted == "sleep" else [])
    pool = Pool(conn)
    with pytest.raises(KeyboardInterrupt):
        run_transaction(pool, body, on_attempt=hook, runtime=Interrupting())
    assert pool.back == [conn]


def test_a_pool_gets_its_connection_back_when_a_log_is_interrupted(monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(logging.getLogger("kecoa.retry"), "info", interrupted)
    conn = Conn("40001")
    pool = Pool(conn)
    with pytest.raises(KeyboardInterrupt):
        run_transaction(pool, body, runtime=Clock())
    assert pool.back == [conn]
    assert conn.log == ["statement", "rollback"]


def test_an_error_that_can_not_be_read_leaves_no_transaction_open():
    class Unreadable(Exception):
        @property
        def pgcode(self):
            raise ZeroDivisionError

    conn = Conn(Unreadable())
    with pytest.raises(ZeroDivisionError):
        run_transaction(conn, body, runtime=Clock())
    assert conn.log == ["statement", "rollback"]


def test_what_giving_back_raises_keeps_what_is_behind_it():
    class Failing(Pool):
        def putconn(self, conn):
            try:
                raise ValueError("the reason")
            except ValueError:
                raise RuntimeError("not taken back") from None

    with pytest.raises(RuntimeError) as raised:
        run_transaction(Failing(Conn()), body, runtime=Clock())
    assert isinstance(raised.value.__context__, ValueError)
    with pytest.raises(RuntimeError) as raised:
        run_transaction(Failing(Conn("23505")), body, runtime=Clock())
    assert isinstance(raised.value.__context__, ValueError)
    assert isinstance(raised.value.__context__.__context__, DriverError)


def test_giving_back_may_raise_the_error_of_the_body_again():
    error = DriverError("23505")

    class Failing(Pool):
        def putconn(self, conn):
            raise error

    with pytest.raises(DriverError) as raised:
        run_transaction(Failing(Conn(error)), body, runtime=Clock())
    assert raised.value.__context__ is None


def test_an_error_in_a_hook_keeps_what_the_hook_was_called_with():
    reported = []

    def hook(report):
        reported.append(report.error)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        run_transaction(Conn(None, "lost"), body, on_attempt=hook, runtime=Clock())
    assert isinstance(raised.value.__context__, AmbiguousCommitError)
    assert raised.value.__context__ is reported[0]


def test_a_body_that_raises_stop_iteration():
    conn = Conn()
    with pytest.raises(StopIteration):
        run_transaction(conn, lambda conn: next(iter(())), runtime=Clock())
    assert conn.log == ["rollback"]


def test_session_settings_are_for_this_transaction():
    conn = Conn()
    conn.autocommit = True
    conn.isolation_level = 1
    seen = []

    def look(conn):
        conn.execute()
        seen.append((conn.autocommit, conn.isolation_level, conn.readonly, conn.deferrable))

    run_transaction(conn, look, isolation_level="serializable", readonly=True, runtime=Clock())
    assert seen == [(False, "serializable", True, None)]
    assert (conn.autocommit, conn.isolation_level, conn.readonly) == (True, 1, None)


def test_session_settings_are_set_back_after_an_error():
    conn = Conn("23505")
    conn.autocommit = True
    with pytest.raises(DriverError):
        run_transaction(conn, body, runtime=Clock())
    assert conn.autocommit is True


def test_the_decorator():
    @transactional
    def plain(conn, a, *, b=0):
        "Adds."
        conn.execute()
        return a + b

    seen = []

    @transactional(policy=RetryPolicy(max_attempts=2, first_delay=0), on_attempt=seen.append)
    def configured(conn):
        conn.execute()
        return "x"

    conn = Conn("40001")
    assert plain.__name__ == "plain"
    assert plain.__doc__ == "Adds."
    assert plain(Conn(), 1, b=2) == 3
    assert configured(conn) == "x"
    assert [report.number for report in seen] == [1, 2]
