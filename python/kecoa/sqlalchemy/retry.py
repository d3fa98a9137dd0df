"""Transactions through SQLAlchemy that are tried again when the database asks for it.

    from kecoa.sqlalchemy import run_transaction

    run_transaction(engine, lambda conn: conn.execute(...))
    run_transaction(sessionmaker(engine), lambda session: session.add(...))
    await run_transaction(async_engine, transfer)               # async def transfer(conn): ...
    await run_transaction(async_sessionmaker(async_engine), transfer)

The rules are those of `kecoa.run_transaction`, decided by the same code: repeated after SQLSTATE 40001 in the
body, at flush and at COMMIT, and after a connection was lost before COMMIT was sent; never repeated when the
outcome of COMMIT is unknown, which is an AmbiguousCommitError. Errors are known by their SQLSTATE wherever
SQLAlchemy or a framework put them (`DBAPIError.orig`, `__cause__`), so this works with every driver whose
errors have one: kecoa, psycopg2, psycopg, asyncpg, pg8000.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeVar, overload

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.util.concurrency import greenlet_spawn

from kecoa import AttemptReport, RetryPolicy
from kecoa._driver.availability import ends_session, may_serve_later
from kecoa.retry._body import refuse_generators, refuse_result
from kecoa.retry._failure import Facts, facts_of, handled_exception
from kecoa.retry._loop import AttemptFailure, RetryLoop
from kecoa.retry._run import Run
from kecoa.sqlalchemy._targets import Target, await_, is_async, open_target

if TYPE_CHECKING:
    # Only here: blocking use needs no greenlet, without which SQLAlchemy 2.1 refuses this import.
    from sqlalchemy.ext.asyncio import (
        AsyncConnection,
        AsyncEngine,
        AsyncSession,
        async_scoped_session,
        async_sessionmaker,
    )
    from typing_extensions import Unpack

__all__ = ["run_transaction"]

_T = TypeVar("_T")
_S = TypeVar("_S", bound=Session)
_A = TypeVar("_A", bound="AsyncSession")


class Runtime(Protocol):
    """Clock, sleep and chance; tests pass their own and run in virtual time."""

    def now(self) -> float:
        """Return a time in seconds, of any epoch."""

    def sleep(self, seconds: float) -> object:
        """Wait; what it returns is awaited if it can be."""

    def random(self) -> float:
        """Return a number from 0 to 1, 1 excluded."""


class _Blocking:
    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
    random = staticmethod(random.random)


class _Asyncio(_Blocking):
    sleep = staticmethod(asyncio.sleep)  # type: ignore[assignment]


class Options(TypedDict, total=False):
    """The keyword arguments of `run_transaction`."""

    policy: RetryPolicy | None
    on_attempt: Callable[[AttemptReport], object] | None
    execution_options: Mapping[str, Any] | None
    runtime: Runtime | None


class _Transaction:
    """Executes the steps of a `RetryLoop`; in a greenlet when `is_async` is true."""

    # Listeners know a connection of kecoa's; SQLAlchemy's is none.
    conn = None
    # SQLAlchemy's connections reconnect by themselves.
    can_reconnect = True

    def __init__(
        self,
        target: Target,
        on_attempt: Callable[[AttemptReport], object] | None,
        runtime: Runtime,
        outer: BaseException | None,
        is_async: bool,
    ) -> None:
        self.handle: Any = None
        self._target = target
        self._on_attempt = on_attempt
        self._runtime = runtime
        self._outer = outer
        self._is_async = is_async

    def is_worth_another_connection(self, error: Exception) -> bool:
        sqlstate = facts_of(error, self._outer).sqlstate
        if sqlstate is None:
            driver = getattr(error, "orig", None) or error
            return isinstance(driver, OSError) or type(driver).__name__ in (
                "OperationalError",
                "InterfaceError",
                "ConnectionTimeout",
            )
        return may_serve_later(sqlstate)

    def sleep(self, seconds: float) -> None:
        self._awaited(self._runtime.sleep(seconds))

    def check_out(self, fresh: bool) -> None:
        try:
            self.handle = self._target.begin(fresh)
        except Exception as error:
            if fresh and self.is_worth_another_connection(error):
                self._target.roll_back()
            raise

    def begin(self) -> None:
        # Done: SQLAlchemy begins where it connects.
        pass

    def check(self) -> Exception | None:
        misuse = self._target.misuse()
        if misuse is None:
            self._target.finish()
        return misuse

    def commit(self) -> None:
        self._target.commit()

    def roll_back(self, error: BaseException, facts: Facts, committing: bool) -> AttemptFailure:
        target = self._target
        lost = facts.lost or target.is_lost(error) or ends_session(facts.sqlstate)
        if lost:
            target.discard(error)
        ended_by_body = not committing and target.was_ended_by_the_body()
        lost = target.roll_back() or lost
        return AttemptFailure(
            Facts(
                facts.sqlstate,
                lost,
                facts.commit_sent or (committing and not facts.certain),
            ),
            ended_by_body=(
                "not tried again, because the body ended its transaction by itself" if ended_by_body else None
            ),
        )

    def report(self, report: AttemptReport) -> None:
        if self._on_attempt is not None:
            self._awaited(self._on_attempt(report))

    def close(self, broken: bool) -> None:
        self._target.close()

    def run(self, body: Callable[[Any], Any]) -> Any:
        """Return what `body` returned, its work done."""
        value = body(self.handle)
        if self._is_async:
            if not inspect.isawaitable(value):
                raise TypeError(
                    "expected a coroutine function, since the transaction runs on an asynchronous engine or"
                    f" session, found one that returned {type(value).__name__}"
                )
            value = await_(value)
        # An AsyncConnection can be awaited, to start it: here it has been.
        if value is not self.handle:
            refuse_result(value, body)
        return value

    def _awaited(self, value: object) -> None:
        if self._is_async and inspect.isawaitable(value):
            await_(value)


@overload
def run_transaction(
    source: Engine | Connection, fn: Callable[[Connection], _T], **options: Unpack[Options]
) -> _T: ...
@overload
def run_transaction(
    source: sessionmaker[_S] | scoped_session[_S] | _S, fn: Callable[[_S], _T], **options: Unpack[Options]
) -> _T: ...
@overload
def run_transaction(
    source: AsyncEngine | AsyncConnection,
    fn: Callable[[AsyncConnection], Awaitable[_T]],
    **options: Unpack[Options],
) -> Coroutine[Any, Any, _T]: ...
@overload
def run_transaction(
    source: async_sessionmaker[_A] | async_scoped_session[_A] | _A,
    fn: Callable[[_A], Awaitable[_T]],
    **options: Unpack[Options],
) -> Coroutine[Any, Any, _T]: ...
def run_transaction(
    source: Any,
    fn: Callable[[Any], Any],
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    execution_options: Mapping[str, Any] | None = None,
    runtime: Runtime | None = None,
) -> Any:
    """Run `fn` in a transaction, commit, and return what it returned; try again where that is right.

    `source` is
    - an Engine: `fn(connection)` runs on a connection from its pool;
    - a sessionmaker: `fn(session)` gets a new Session at each attempt, flushed, committed and closed;
    - a Connection or Session (also a scoped_session) outside a transaction: it stays the caller's. After a
      rollback a Session's objects are expired, so that the next attempt reads them anew; what it changes is
      to be changed in `fn`.
    - the asynchronous one of each: then `fn` is a coroutine function and the result is to be awaited.

    The body may run several times: it must not commit or roll back, and what it does outside the database is
    done each time. `on_attempt` is called with an AttemptReport after each attempt; with asynchronous sources
    what it returns is awaited if it can be. `execution_options` (say `{"isolation_level": "SERIALIZABLE"}`)
    are those of the connection for this transaction only; for a Connection of the caller's, set them there.

    Raises what `fn` or the database raised when that is not to be tried again; the last error, with
    attributes `attempts` and `elapsed` (seconds), when the policy is exhausted; kecoa.AmbiguousCommitError
    when COMMIT was sent and its outcome is unknown; kecoa.ProgrammingError when the connection is inside a
    transaction or in autocommit mode, or when `fn` ended its transaction by itself or returned after
    it caught an error that had failed it; TypeError for another source.
    """
    waits = is_async(source)
    if inspect.iscoroutinefunction(fn) and not waits:
        raise TypeError(
            f"expected a function, found the coroutine function {getattr(fn, '__qualname__', fn)!r}: it needs"
            " an AsyncEngine, AsyncConnection, async_sessionmaker or AsyncSession"
        )
    refuse_generators(fn)
    target = open_target(source, execution_options)
    outer = handled_exception()
    system = runtime or (_Asyncio() if waits else _Blocking())

    def run() -> Any:
        transaction = _Transaction(target, on_attempt, system, outer, waits)
        loop = RetryLoop(transaction, policy, on_attempt, system, outer)
        return Run(loop, transaction).until_committed(lambda: transaction.run(fn))

    # Time begins to run where the coroutine is awaited.
    return greenlet_spawn(run) if waits else run()
