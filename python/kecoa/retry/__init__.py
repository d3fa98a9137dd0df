"""Transactions that are tried again when the database asks for it.

Three forms of the same rules: `run_transaction(source, fn)`, the decorator `@transactional`, and

    for attempt in attempts(source):
        with attempt as conn:
            ...

An attempt begins outside a transaction, runs the body and commits. It is repeated after SQLSTATE 40001, in
the body or at COMMIT, and after a connection was lost before COMMIT was sent. It is never repeated when the
outcome of COMMIT is unknown: that is an AmbiguousCommitError. What is retried, when and how often is decided
in the extension (`RetryPolicy`, `Attempts`), for all of kecoa alike.

The body may run several times: it must not commit, and what it does outside the database is done each time.

`source` is one of
- a connection, kecoa's or psycopg2's. When it is lost there is no other: the error is raised;
- a pool, with `getconn()` and `putconn(conn)`;
- a function that opens a connection. It is closed at the end.
"""

from __future__ import annotations

import functools
import inspect
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TypeVar, overload

from kecoa._kecoa import InterfaceError, ProgrammingError, RetryPolicy
from kecoa.retry._bytecode import Place, caller
from kecoa.retry._decisions import AmbiguousCommitError, AttemptReport, Decisions, add_note
from kecoa.retry._failure import Facts, facts_of, handled_exception
from kecoa.retry._lazy import LOST_IN_BODY, refuse_generators, refuse_result
from kecoa.retry._source import Source, open_source

__all__ = [
    "AmbiguousCommitError",
    "AttemptReport",
    "RetryPolicy",
    "attempts",
    "run_transaction",
    "transactional",
]

_T = TypeVar("_T")

_IDLE, _INERROR = 0, 3


class Runtime(Protocol):
    """Clock, sleep and chance; tests pass their own and run in virtual time."""

    def now(self) -> float:
        """Return a time in seconds, of any epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def random(self) -> float:
        """Return a number from 0 to 1, 1 excluded."""


class _System:
    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
    random = staticmethod(random.random)


_SYSTEM = _System()


class _Options(NamedTuple):
    policy: RetryPolicy | None = None
    on_attempt: Callable[[AttemptReport], object] | None = None
    isolation_level: int | str | None = None
    readonly: bool | None = None
    deferrable: bool | None = None
    runtime: Runtime = _SYSTEM


class _Run(Decisions):
    """One transaction: its attempts one after the other. Every form above is a loop over this."""

    def __init__(self, source: Any, options: _Options) -> None:
        super().__init__(options.policy, options.on_attempt, options.runtime, handled_exception())
        self.options = options
        self.source: Source = open_source(source)
        self.conn: Any = None
        self.commits: int | None = None
        self.restore: Callable[[], None] | None = None

    def begin(self) -> Any:
        """Wait as decided, and return the connection for the next attempt."""
        while True:
            if self.wait > 0:
                self.runtime.sleep(self.wait)
            self.wait = 0.0
            self.number += 1
            try:
                conn = self.source.get(self.fresh)
                break
            except Exception as error:
                if not self.fresh or not self._is_worth_another_connection(error):
                    self._close(broken=True)
                    raise
                # The server that was just lost may take a while to come back.
                self._settle(error, Facts(lost=True), broken=True)
        self.fresh = False
        try:
            self._prepare(conn)
        except BaseException:
            self._close(broken=False)
            raise
        return conn

    def _is_worth_another_connection(self, error: Exception) -> bool:
        sqlstate = facts_of(error, self.outer).sqlstate
        if sqlstate is None:
            return type(error).__name__ == "OperationalError"
        return sqlstate.startswith(("08", "57P")) or sqlstate == "53300"

    def _prepare(self, conn: Any) -> None:
        if conn.closed:
            raise InterfaceError(
                "expected an open connection, found one that is closed: open another, or give a pool or a"
                " function that connects"
            )
        if conn.get_transaction_status() != _IDLE:
            raise ProgrammingError(
                "expected a connection outside a transaction, found one inside: commit or roll back first"
            )
        if conn is not self.conn:
            self.conn = conn
            self.restore = _set_session(conn, self.options)
        self.commits = getattr(conn, "_commits", None)

    def end(self, error: BaseException | None, comes_back: Callable[[], bool] = lambda: True) -> bool:
        """End the attempt, whose body raised `error` or nothing; True when it is committed.

        False when another attempt is due. Raises what ends the run: `error` itself, or the COMMIT's.
        `comes_back` is asked whether the caller can make another attempt.
        """
        committing = False
        if error is None:
            misuse = self._misuse()
            if misuse is not None:
                self._close(broken=self._roll_back())
                raise misuse
            committing = True
            try:
                self.conn.commit()
            except BaseException as raised:
                error = raised
            else:
                self._report(None, "committed", 0.0)
                self._close(broken=False)
                return True
        committed_by_itself = self._committed_by_itself()
        broken = self._roll_back()
        if not isinstance(error, Exception):
            if committing:
                add_note(error, "kecoa: this interrupted a COMMIT, whose outcome is unknown")
            self._close(broken)
            raise error
        if committed_by_itself and not committing:
            # Some of the body's work is committed: it must not be done a second time.
            try:
                self._finish(error, "give_up", "not tried again, because the body committed by itself")
            finally:
                self._close(broken)
            raise error
        facts = facts_of(error, self.outer)
        lost = facts.lost or broken
        sent = facts.commit_sent or (committing and not facts.certain)
        self._settle(error, Facts(facts.sqlstate, lost, sent), broken, comes_back)
        return False

    def _committed_by_itself(self) -> bool:
        return self.commits is not None and getattr(self.conn, "_commits", self.commits) != self.commits

    def _misuse(self) -> ProgrammingError | None:
        """Return the error for a body that left no transaction to commit; None for a good one."""
        if self._committed_by_itself():
            return ProgrammingError(
                "the body committed by itself: what it did until then is committed, what followed is rolled"
                " back. Leave COMMIT to run_transaction, which knows when it can be tried again"
            )
        if self._is_lost():
            return ProgrammingError(LOST_IN_BODY)
        if self.conn.closed:
            return ProgrammingError(
                "the body closed its connection: nothing is committed but what it committed by itself"
            )
        if self.conn.get_transaction_status() == _INERROR:
            return ProgrammingError(
                "the body returned although a statement of its transaction had failed: an error was caught"
                " inside and not raised again. Nothing is committed. Let the error leave the body, so that it"
                " can be tried again, or roll back to a savepoint"
            )
        return None

    def _is_lost(self) -> bool:
        return self.conn.closed not in (0, 1)

    def _roll_back(self) -> bool:
        """Roll back; whether the connection is lost."""
        try:
            self.conn.rollback()
        except Exception:
            # Closed by the body itself is not lost.
            return bool(self.conn.closed != 1)
        return bool(self.conn.closed not in (0, 1))

    def _settle(
        self,
        error: Exception,
        facts: Facts,
        broken: bool,
        comes_back: Callable[[], bool] = lambda: True,
    ) -> None:
        """Decide what follows from `error`: return when another attempt does, else raise."""

        def refusal(decision: str) -> str | None:
            if decision == "reconnect" and not self.source.can_reconnect:
                return (
                    "the connection was lost before COMMIT, so nothing is committed; given a pool or a"
                    " function that connects, it would have been tried again on a fresh connection"
                )
            if not comes_back():
                return (
                    "nothing is committed, and the loop can't try again: its body was left by return or"
                    " break, or what follows the body leaves the loop"
                )
            return None

        try:
            self._decide(error, facts, refusal)
        except BaseException:
            self._close(broken)
            raise

    def _close(self, broken: bool) -> None:
        restore, self.restore = self.restore, None
        self.conn = None
        if restore is not None and not broken:
            # The connection may be lost without our knowing yet; that is for its next user to find.
            with suppress(Exception):
                restore()
        self.source.done(broken)


def _set_session(conn: Any, options: _Options) -> Callable[[], None] | None:
    """Set what this transaction asks of its connection; return what sets it back, None when nothing was."""
    wanted = {
        name: getattr(options, name)
        for name in ("isolation_level", "readonly", "deferrable")
        if getattr(options, name) is not None
    }
    if conn.autocommit:
        # Last when it is set back: the others can't be set while autocommit is off and BEGIN is due.
        wanted["autocommit"] = False
    if not wanted:
        return None
    before = {name: getattr(conn, name) for name in wanted}
    conn.set_session(**wanted)

    def restore() -> None:
        for name, value in before.items():
            setattr(conn, name, value)

    return restore


def run_transaction(
    source: Any,
    fn: Callable[[Any], _T],
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
    runtime: Runtime = _SYSTEM,
) -> _T:
    """Run `fn(conn)` in a transaction, commit, and return what it returned; try again where that is right.

    `isolation_level`, `readonly` and `deferrable` are those of `connection.set_session`, for this
    transaction only. `on_attempt` is called with an AttemptReport after each attempt.

    Raises what `fn` or the database raised when that is not to be tried again; the last error, with
    attributes `attempts` and `elapsed`, when the policy is exhausted; AmbiguousCommitError;
    ProgrammingError when the connection is inside a transaction, or when `fn` committed by itself or
    returned after it caught an error that had failed its transaction.
    """
    _refuse_coroutines(fn)
    run = _Run(source, _Options(policy, on_attempt, isolation_level, readonly, deferrable, runtime))
    while True:
        conn = run.begin()
        try:
            result = fn(conn)
            refuse_result(result, fn)
        except BaseException as error:
            run.end(error)
            continue
        if run.end(None):
            return result


@overload
def transactional(fn: Callable[..., _T], /) -> Callable[..., _T]: ...
@overload
def transactional(
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
) -> Callable[[Callable[..., _T]], Callable[..., _T]]: ...
def transactional(fn: Callable[..., _T] | None = None, /, **options: Any) -> Any:
    """Make a function run in a transaction: `fn(conn, ...)` is then called as `fn(source, ...)`.

    Used bare or with the keyword arguments of `run_transaction`.
    """
    if fn is None:
        return functools.partial(transactional, **options)
    _refuse_coroutines(fn)
    body = fn

    @functools.wraps(body)
    def wrapper(source: Any, /, *args: Any, **kwargs: Any) -> _T:
        return run_transaction(source, lambda conn: body(conn, *args, **kwargs), **options)

    return wrapper


class Attempt:
    """One attempt of `attempts`: a context manager whose value is the connection."""

    def __init__(self, loop: _Loop) -> None:
        self._loop = loop
        self._entered = False

    @property
    def number(self) -> int:
        """1 for the first."""
        return self._loop.run.number

    def __enter__(self) -> Any:
        if self._entered:
            raise RuntimeError("an attempt is entered once: take the next one from the loop")
        self._entered = True
        self._loop.state = "running"
        return self._loop.run.conn

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        loop = self._loop
        loop.state = "ended"
        frame = caller(1)
        try:
            committed = loop.run.end(error, lambda: loop.place.will_come_back(frame))
        except BaseException as final:
            if final is error:
                return False
            raise
        if not committed:
            loop.state = "retry"
        return not committed


class _Loop:
    """The iterator of `attempts`."""

    def __init__(self, source: Any, options: _Options) -> None:
        self.run = _Run(source, options)
        self.state = "retry"
        self.place = Place(None)

    def __iter__(self) -> Iterator[Attempt]:
        return self

    def __next__(self) -> Attempt:
        if self.state == "fresh":
            raise RuntimeError(
                "expected the attempt to be entered: for attempt in attempts(...): with attempt: ..."
            )
        if self.state == "running":
            raise RuntimeError("expected the attempt to have ended before the next one")
        if self.state == "ended":
            raise StopIteration
        self.state = "ended"
        self.place = Place(caller(1))
        self.run.begin()
        self.state = "fresh"
        return Attempt(self)


def attempts(
    source: Any,
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
    runtime: Runtime = _SYSTEM,
) -> Iterator[Attempt]:
    """Yield attempts at a transaction until one is committed. Arguments and errors as of `run_transaction`.

    The body is the `with` block; leaving it commits. Let it end by itself: when it is left by `return` or
    `break` and has to be tried again, the loop that could do so is gone, and the error is raised.
    """
    return _Loop(source, _Options(policy, on_attempt, isolation_level, readonly, deferrable, runtime))


def _refuse_coroutines(fn: Callable[..., Any]) -> None:
    if inspect.iscoroutinefunction(fn):
        raise TypeError(f"expected a function, found the coroutine function {fn.__qualname__!r}")
    refuse_generators(fn)
