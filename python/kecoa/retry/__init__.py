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
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from kecoa._kecoa import RetryPolicy
from kecoa.retry._attempts import AttemptOrder
from kecoa.retry._body import refuse_generators, refuse_result
from kecoa.retry._bytecode import Place, caller
from kecoa.retry._failure import handled_exception
from kecoa.retry._loop import AmbiguousCommitError, AttemptReport, RetryLoop
from kecoa.retry._run import Run
from kecoa.retry._source import Conn, SourceOf
from kecoa.retry._transaction import BlockingTransaction, Options, Runtime

__all__ = [
    "AmbiguousCommitError",
    "AttemptReport",
    "RetryPolicy",
    "attempts",
    "run_transaction",
    "transactional",
]

_T = TypeVar("_T")
_P = ParamSpec("_P")


class _System:
    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
    random = staticmethod(random.random)


_SYSTEM = _System()


def _run(source: Any, options: Options) -> Run[BlockingTransaction]:
    outer = handled_exception()
    transaction = BlockingTransaction(source, options, outer)
    loop = RetryLoop(transaction, options.policy, options.on_attempt, options.runtime, outer)
    return Run(loop, transaction)


def run_transaction(
    source: SourceOf[Conn],
    fn: Callable[[Conn], _T],
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
    runtime: Runtime | None = None,
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
    run = _run(source, Options(policy, on_attempt, isolation_level, readonly, deferrable, runtime or _SYSTEM))
    return run.until_committed(lambda: _result(fn, run.transaction.conn))


@overload
def transactional(
    fn: Callable[Concatenate[Conn, _P], _T], /
) -> Callable[Concatenate[SourceOf[Conn], _P], _T]: ...
@overload
def transactional(
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
) -> Callable[[Callable[Concatenate[Conn, _P], _T]], Callable[Concatenate[SourceOf[Conn], _P], _T]]: ...
def transactional(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function run in a transaction: `fn(conn, ...)` is then called as `fn(source, ...)`.

    Used bare or with the keyword arguments of `run_transaction`.
    """
    if fn is None:
        return functools.partial(transactional, **options)
    _refuse_coroutines(fn)
    body = fn

    @functools.wraps(body)
    def wrapper(source: Any, /, *args: Any, **kwargs: Any) -> Any:
        return run_transaction(source, lambda conn: body(conn, *args, **kwargs), **options)

    return wrapper


class Attempt(Generic[Conn]):
    """One attempt of `attempts`: a context manager whose value is the connection."""

    def __init__(self, loop: _Attempts[Conn]) -> None:
        self._loop = loop
        self._number = loop.run.loop.number

    @property
    def number(self) -> int:
        """1 for the first."""
        return self._number

    def __enter__(self) -> Conn:
        self._loop.order.enter(self._number)
        self._loop.run.loop.enter_body()
        conn: Conn = self._loop.run.transaction.conn
        return conn

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        order = self._loop.order
        try:
            committed = self._loop.run.end(error, order.leave(caller(1)))
        except BaseException as final:
            if final is error:
                return False
            raise
        if not committed:
            order.repeat()
        return not committed


class _Attempts(Generic[Conn]):
    """The iterator of `attempts`."""

    def __init__(self, run: Run[BlockingTransaction]) -> None:
        self.run = run
        self.order = AttemptOrder("for attempt in attempts(...): with attempt: ...")

    def __iter__(self) -> Iterator[Attempt[Conn]]:
        return self

    def __next__(self) -> Attempt[Conn]:
        if not self.order.is_next_due(Place(caller(1))):
            raise StopIteration
        self.run.begin()
        self.order.begin(self.run.loop.number)
        return Attempt(self)


def attempts(
    source: SourceOf[Conn],
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
    runtime: Runtime | None = None,
) -> Iterator[Attempt[Conn]]:
    """Yield attempts at a transaction until one is committed. Arguments and errors as of `run_transaction`.

    The body is the `with` block; leaving it commits. Let it end by itself: when it is left by `return` or
    `break` and has to be tried again, the loop that could do so is gone, and the error is raised.
    """
    options = Options(policy, on_attempt, isolation_level, readonly, deferrable, runtime or _SYSTEM)
    return _Attempts(_run(source, options))


def _result(fn: Callable[[Any], _T], conn: Any) -> _T:
    result = fn(conn)
    refuse_result(result, fn)
    return result


def _refuse_coroutines(fn: Callable[..., Any]) -> None:
    if inspect.iscoroutinefunction(fn):
        raise TypeError(f"expected a function, found the coroutine function {fn.__qualname__!r}")
    refuse_generators(fn)
