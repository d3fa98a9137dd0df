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
import functools
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypedDict, TypeVar, overload

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.util.concurrency import greenlet_spawn

from kecoa import AttemptReport, ProgrammingError, RetryPolicy
from kecoa.retry._decisions import Decisions, add_note
from kecoa.retry._failure import Facts, facts_of, handled_exception
from kecoa.retry._lazy import refuse_generators, refuse_result
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


class _Run(Decisions):
    """One transaction, its attempts one after the other; in a greenlet when `waits` is true."""

    def __init__(
        self,
        target: Target,
        policy: RetryPolicy | None,
        on_attempt: Callable[[AttemptReport], object] | None,
        runtime: Runtime,
        outer: BaseException | None,
        waits: bool,
    ) -> None:
        super().__init__(policy, on_attempt, runtime, outer)
        self.target = target
        self.waits = waits

    def until_committed(self, fn: Callable[[Any], Any]) -> Any:
        """Make attempts until one is committed; return what `fn` returned, or raise what ends the run."""
        try:
            while True:
                handle = self._begin()
                committing = checking = False
                try:
                    result = self._result(fn(handle), fn, handle)
                    checking = True
                    self.target.check()
                    checking = False
                    self.target.finish()
                    committing = True
                    self.target.commit()
                except BaseException as error:
                    if checking and isinstance(error, ProgrammingError):
                        self._refuse(error)
                    self._end(error, committing)
                    continue
                self._report(None, "committed", 0.0)
                return result
        finally:
            self.target.close()

    def _refuse(self, error: ProgrammingError) -> NoReturn:
        """End for a body that kept to itself what became of its transaction: it is not to be run again."""
        self.target.roll_back()
        self._finish(error, "give_up", None)
        raise error

    def _result(self, value: Any, fn: Callable[[Any], Any], handle: Any) -> Any:
        if self.waits:
            value = self._awaited(value)
        # An AsyncConnection can be awaited, to start it: here it has been.
        if value is not handle:
            refuse_result(value, fn)
        return value

    def _awaited(self, value: Any) -> Any:
        if not inspect.isawaitable(value):
            raise TypeError(
                "expected a coroutine function, since the transaction runs on an asynchronous engine or"
                f" session, found one that returned {type(value).__name__}"
            )
        return await_(value)

    def _begin(self) -> Any:
        while True:
            if self.wait > 0:
                slept = self.runtime.sleep(self.wait)
                if inspect.isawaitable(slept):
                    await_(slept)
            self.wait = 0.0
            self.number += 1
            try:
                handle = self.target.begin(self.fresh)
            except Exception as error:
                if not self.fresh or not self._is_worth_another_connection(error):
                    raise
                # The server that was just lost may take a while to come back.
                self.target.roll_back()
                self._settle(error, Facts(lost=True))
                continue
            self.fresh = False
            return handle

    def _is_worth_another_connection(self, error: Exception) -> bool:
        sqlstate = facts_of(error, self.outer).sqlstate
        if sqlstate is None:
            driver = getattr(error, "orig", None) or error
            return isinstance(driver, OSError) or type(driver).__name__ in (
                "OperationalError",
                "InterfaceError",
                "ConnectionTimeout",
            )
        return sqlstate.startswith(("08", "57P")) or sqlstate == "53300"

    def _end(self, error: BaseException, committing: bool) -> None:
        """End a failed attempt: return when another is due, raise what ends the run otherwise."""
        facts = facts_of(error, self.outer)
        lost = facts.lost or self.target.is_lost(error) or _means_lost(facts.sqlstate)
        if lost:
            self.target.discard(error)
        ended_by_body = not committing and self.target.was_ended_by_the_body()
        lost = self.target.roll_back() or lost
        if not isinstance(error, Exception):
            if committing:
                add_note(error, "kecoa: this interrupted a COMMIT, whose outcome is unknown")
            raise error
        if ended_by_body:
            # Some of the body's work may be committed: it must not be done a second time.
            self._finish(
                error, "give_up", "not tried again, because the body ended its transaction by itself"
            )
            raise error
        sent = facts.commit_sent or (committing and not facts.certain)
        self._settle(error, Facts(facts.sqlstate, lost, sent))

    def _settle(self, error: Exception, facts: Facts) -> None:
        self._decide(error, facts, lambda _: None)

    def _tell(self, report: AttemptReport) -> None:
        if self.on_attempt is None:
            return
        told = self.on_attempt(report)
        if self.waits and inspect.isawaitable(told):
            await_(told)


def _means_lost(sqlstate: str | None) -> bool:
    """Whether the server has ended the session, or is about to: class 08, and 57P01 to 57P05."""
    return sqlstate is not None and sqlstate.startswith(("08", "57P"))


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
    run = functools.partial(_Run, target, policy, on_attempt, outer=handled_exception(), waits=waits)
    if waits:
        return greenlet_spawn(lambda: run(runtime=runtime or _Asyncio()).until_committed(fn))
    return run(runtime=runtime or _Blocking()).until_committed(fn)
