"""Transaction retry: scripted connections in virtual time, then 40001 and lost connections for real."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest

import kecoa
from kecoa import RetryPolicy, attempts, errors, run_transaction, transactional
from kecoa.retry import AmbiguousCommitError

IDLE, INTRANS, INERROR = 0, 2, 3


class DriverError(Exception):
    """An error as another driver's: it has a pgcode, and nothing else is known."""

    def __init__(self, pgcode: str | None, message: str = "scripted") -> None:
        super().__init__(message)
        self.pgcode = pgcode


class OperationalError(DriverError):
    pass


class Clock:
    """Virtual time: sleeping takes none of ours."""

    def __init__(self, chance: float = 0.5) -> None:
        self.time = 100.0
        self.slept: list[float] = []
        self.chance = chance

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def random(self) -> float:
        return self.chance


class Conn:
    """A connection that follows a script: for each statement and COMMIT an error or None."""

    def __init__(self, *script: Any, log: list[str] | None = None) -> None:
        self.script = list(script)
        self.log = [] if log is None else log
        self.closed = 0
        self.autocommit = False
        self.isolation_level: Any = None
        self.readonly: Any = None
        self.deferrable: Any = None
        self.transaction = IDLE

    def _step(self, what: str) -> None:
        self.log.append(what)
        if not self.script:
            return
        outcome = self.script.pop(0)
        if outcome is None:
            return
        if outcome == "lost":
            self.closed = 2
            self.transaction = IDLE
            raise OperationalError(None, "server closed the connection unexpectedly")
        if self.transaction == INTRANS:
            self.transaction = INERROR
        raise DriverError(outcome) if isinstance(outcome, str) else outcome

    def execute(self) -> None:
        if self.transaction == IDLE and not self.autocommit:
            self.transaction = INTRANS
        self._step("statement")

    def commit(self) -> None:
        try:
            self._step("commit")
        finally:
            self.transaction = IDLE

    def rollback(self) -> None:
        self.log.append("rollback")
        if self.closed:
            raise OperationalError(None, "connection already closed")
        self.transaction = IDLE

    def close(self) -> None:
        self.log.append("close")
        self.closed = self.closed or 1

    def cursor(self) -> Any:
        raise AssertionError("the scripts use execute()")

    def get_transaction_status(self) -> int:
        return self.transaction

    def set_session(self, **settings: Any) -> None:
        assert self.transaction == IDLE
        for name, value in settings.items():
            setattr(self, name, value)


def body(conn: Any) -> str:
    conn.execute()
    return "done"


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


class Pool:
    def __init__(self, *conns: Conn) -> None:
        self.conns = list(conns)
        self.back: list[Conn] = []

    def getconn(self) -> Conn:
        return self.conns.pop(0)

    def putconn(self, conn: Conn) -> None:
        self.back.append(conn)


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


def test_a_body_that_swallows_a_failure_is_told():
    conn = Conn("40001")

    def swallows(conn):
        try:
            conn.execute()
        except DriverError:
            return "all is well"

    with pytest.raises(kecoa.ProgrammingError, match="had failed"):
        run_transaction(conn, swallows, runtime=Clock())
    assert "commit" not in conn.log


def test_a_body_that_closes_its_connection_is_told():
    with pytest.raises(kecoa.ProgrammingError, match="closed"):
        run_transaction(Conn(), lambda conn: conn.close(), runtime=Clock())


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


def test_a_body_that_commits_is_told():
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


# ---- for attempt in attempts(...): with attempt as conn --------------------------------------


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


# ---- on PostgreSQL ---------------------------------------------------------------------------

MODULES = pytest.mark.parametrize("module", [kecoa, psycopg2], ids=["kecoa", "psycopg2"])


@pytest.fixture
def counters(dsn):
    """A table with one counter at zero; names it."""
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS retry_counter")
    cur.execute("CREATE TABLE retry_counter (id int PRIMARY KEY, n int NOT NULL)")
    cur.execute("INSERT INTO retry_counter VALUES (1, 0)")
    yield lambda: (cur.execute("SELECT n FROM retry_counter"), cur.fetchone()[0])[1]
    cur.execute("DROP TABLE retry_counter")
    conn.close()


def increment(conn):
    with conn.cursor() as cur:
        cur.execute("SELECT n FROM retry_counter WHERE id = 1")
        (n,) = cur.fetchone()
        cur.execute("UPDATE retry_counter SET n = %s WHERE id = 1", (n + 1,))


@MODULES
def test_lost_updates_do_not_happen(dsn, counters, module):
    reports = []

    def worker():
        conn = module.connect(dsn)
        for _ in range(25):
            run_transaction(
                conn,
                increment,
                isolation_level="serializable",
                policy=RetryPolicy(max_attempts=100, first_delay=0.001, max_delay=0.02),
                on_attempt=reports.append,
            )
        conn.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters() == 100
    assert sum(report.decision == "committed" for report in reports) == 100
    retried = [report for report in reports if report.decision == "retry"]
    assert all(report.error.pgcode == "40001" for report in retried)


def test_a_real_serialization_failure_has_its_class(dsn, counters):
    one, two = kecoa.connect(dsn), kecoa.connect(dsn)
    two.set_session(isolation_level="repeatable read")
    two.cursor().execute("SELECT n FROM retry_counter")
    increment(one)
    one.commit()
    with pytest.raises(errors.SerializationFailure) as raised:
        increment(two)
    assert isinstance(raised.value, kecoa.extensions.TransactionRollbackError)
    assert raised.value.pgcode == "40001"
    one.close()
    two.close()


@MODULES
def test_a_session_that_the_server_ends(dsn, counters, module):
    """Lost inside the body: done again on a connection of its own, once."""
    killed = []

    def work(conn):
        increment(conn)
        if not killed:
            killed.append(True)
            admin = psycopg2.connect(dsn)
            admin.autocommit = True
            admin.cursor().execute("SELECT pg_terminate_backend(%s)", (conn.get_backend_pid(),))
            admin.close()
            with conn.cursor() as cur:
                cur.execute("SELECT pg_sleep(1)")

    reports = []
    run_transaction(lambda: module.connect(dsn), work, on_attempt=reports.append)
    assert [report.decision for report in reports] == ["reconnect", "committed"]
    assert counters() == 1


@MODULES
def test_a_plain_connection_of_each_driver(dsn, counters, module):
    conn = module.connect(dsn)
    conn.autocommit = True
    run_transaction(conn, increment, isolation_level="repeatable read", readonly=False)
    assert conn.autocommit is True
    assert conn.isolation_level in (None, 0)
    assert counters() == 1

    def swallows(conn):
        with pytest.raises(module.Error):
            conn.cursor().execute("SELECT nope")

    with pytest.raises(kecoa.ProgrammingError, match="had failed"):
        run_transaction(conn, swallows)
    assert conn.get_transaction_status() == IDLE
    conn.close()


def test_a_body_that_commits_by_itself_on_postgresql(dsn, counters):
    conn = kecoa.connect(dsn)

    def commits(conn):
        increment(conn)
        conn.commit()
        increment(conn)

    with pytest.raises(kecoa.ProgrammingError, match="committed by itself"):
        run_transaction(conn, commits)
    assert counters() == 1
    conn.close()


@pytest.mark.parametrize("statement", ["COMMIT", "END", "ABORT; SELECT 1"])
def test_a_body_that_ends_its_transaction_by_sql(dsn, counters, statement):
    conn = kecoa.connect(dsn)

    def ends(conn):
        increment(conn)
        conn.cursor().execute(statement)

    if statement.startswith("ABORT"):
        run_transaction(conn, ends)  # nothing was committed: a rollback is the body's to choose
        assert counters() == 0
    else:
        with pytest.raises(kecoa.ProgrammingError, match="committed by itself"):
            run_transaction(conn, ends)
    conn.close()


def test_a_pool_of_ours(dsn, counters):
    from kecoa.pool import ThreadedConnectionPool

    pool = ThreadedConnectionPool(1, 2, dsn)
    run_transaction(pool, increment)
    run_transaction(pool, increment)
    assert counters() == 2
    pool.closeall()


def test_a_loop_on_postgresql(dsn, counters):
    conn = kecoa.connect(dsn)
    for attempt in attempts(conn):
        with attempt as tx:
            increment(tx)
            if attempt.number == 1:
                tx.cursor().execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
    assert counters() == 1
    conn.close()
