"""Transactions that are tried again when the database asks for it, with asyncio.

The rules and the decisions are those of `kecoa.retry`; here only the waiting differs.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from kecoa._kecoa import RetryPolicy
from kecoa.aio._retry_steps import AsyncRun, AsyncTransaction
from kecoa.aio._source import Conn, SourceOf
from kecoa.retry._attempts import AttemptOrder
from kecoa.retry._body import refuse_generators, refuse_result
from kecoa.retry._bytecode import Place, caller
from kecoa.retry._failure import handled_exception
from kecoa.retry._loop import AttemptReport, RetryLoop
from kecoa.retry._transaction import Options

if TYPE_CHECKING:
    from typing_extensions import TypeVarTuple, Unpack

    _Args = TypeVarTuple("_Args")

_T = TypeVar("_T")
_P = ParamSpec("_P")


class AsyncRuntime(Protocol):
    """Clock, sleep and chance; tests pass their own and run in virtual time."""

    def now(self) -> float:
        """Return a time in seconds, of any epoch."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def random(self) -> float:
        """Return a number from 0 to 1, 1 excluded."""


class _System:
    now = staticmethod(time.monotonic)
    sleep = staticmethod(asyncio.sleep)
    random = staticmethod(random.random)


_SYSTEM = _System()


def _run(source: Any, options: Options) -> AsyncRun:
    outer = handled_exception()
    transaction = AsyncTransaction(source, options, outer)
    return AsyncRun(
        RetryLoop(transaction, options.policy, options.on_attempt, options.runtime, outer), transaction
    )


async def run_transaction(
    source: SourceOf[Conn],
    fn: Callable[[Conn, Unpack[_Args]], Awaitable[_T]],
    *args: Unpack[_Args],
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
    runtime: AsyncRuntime | None = None,
) -> _T:
    """Run `await fn(conn, *args)` in a transaction and commit; try again where that is right.

    Returns what `fn` returned. `source` is a connection of `kecoa.aio`, a pool, or a function that connects
    (`lambda: connect(dsn)`), whose connection is closed at the end. Rules, arguments and errors are those of
    `kecoa.run_transaction`. A task that is cancelled stops trying; during COMMIT that leaves its outcome
    unknown, as a note on the CancelledError says.
    """
    refuse_generators(fn)
    run = _run(source, Options(policy, on_attempt, isolation_level, readonly, deferrable, runtime or _SYSTEM))
    while True:
        await run.begin()
        run.loop.enter_body()
        try:
            made = fn(run.transaction.conn, *args)
            if not inspect.isawaitable(made):
                refuse_result(made, fn)
                raise TypeError(f"expected a coroutine function, found {fn!r}, which returned {made!r}")
            result = await made
            refuse_result(result, fn)
        except BaseException as error:
            await run.end(error)
            continue
        if await run.end(None):
            return result


@overload
def transactional(
    fn: Callable[Concatenate[Conn, _P], Coroutine[Any, Any, _T]], /
) -> Callable[Concatenate[SourceOf[Conn], _P], Coroutine[Any, Any, _T]]: ...
@overload
def transactional(
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
) -> Callable[
    [Callable[Concatenate[Conn, _P], Coroutine[Any, Any, _T]]],
    Callable[Concatenate[SourceOf[Conn], _P], Coroutine[Any, Any, _T]],
]: ...
def transactional(fn: Callable[..., Awaitable[Any]] | None = None, /, **options: Any) -> Any:
    """Make a coroutine function run in a transaction: `fn(conn, ...)` is then called as `fn(source, ...)`.

    Used bare or with the keyword arguments of `run_transaction`.
    """
    if fn is None:
        return functools.partial(transactional, **options)
    if not inspect.iscoroutinefunction(fn):
        raise TypeError(f"expected a coroutine function, found {fn!r}: kecoa.transactional is for functions")
    body = fn

    @functools.wraps(body)
    async def wrapper(source: Any, /, *args: Any, **kwargs: Any) -> Any:
        return await run_transaction(source, lambda conn: body(conn, *args, **kwargs), **options)

    return wrapper


class AsyncAttempt(Generic[Conn]):
    """One attempt of `attempts`: an async context manager whose value is the connection."""

    def __init__(self, loop: _Attempts[Conn]) -> None:
        self._loop = loop
        self._number = loop.run.loop.number

    @property
    def number(self) -> int:
        """1 for the first."""
        return self._number

    async def __aenter__(self) -> Conn:
        self._loop.order.enter(self._number)
        self._loop.run.loop.enter_body()
        conn: Conn = self._loop.run.transaction.conn
        return conn

    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Awaitable[bool]:
        # Here, and not in the coroutine: its frame's caller is not the loop's.
        return self._exit(error, caller(1))

    async def _exit(self, error: BaseException | None, frame: FrameType | None) -> bool:
        order = self._loop.order
        try:
            committed = await self._loop.run.end(error, order.leave(frame))
        except BaseException as final:
            if final is error:
                return False
            raise
        if not committed:
            order.repeat()
        return not committed


class _Attempts(Generic[Conn]):
    """The iterator of `attempts`."""

    def __init__(self, run: AsyncRun) -> None:
        self.run = run
        self.order = AttemptOrder("async for attempt in ...: async with attempt: ...")

    def __aiter__(self) -> AsyncIterator[AsyncAttempt[Conn]]:
        return self

    def __anext__(self) -> Awaitable[AsyncAttempt[Conn]]:
        return self._next(Place(caller(1)))

    async def _next(self, place: Place) -> AsyncAttempt[Conn]:
        if not self.order.is_next_due(place):
            raise StopAsyncIteration
        await self.run.begin()
        self.order.begin(self.run.loop.number)
        return AsyncAttempt(self)


def attempts(
    source: SourceOf[Conn],
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
    runtime: AsyncRuntime | None = None,
) -> AsyncIterator[AsyncAttempt[Conn]]:
    """Yield attempts at a transaction until one is committed. Arguments and errors as of `run_transaction`.

        async for attempt in kecoa.aio.attempts(pool):
            async with attempt as conn:
                ...

    Leaving the block commits. Let it end by itself: see `kecoa.attempts`.
    """
    options = Options(policy, on_attempt, isolation_level, readonly, deferrable, runtime or _SYSTEM)
    return _Attempts(_run(source, options))
