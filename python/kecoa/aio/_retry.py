"""Transactions that are tried again when the database asks for it, with asyncio.

The rules and the decisions are those of `kecoa.retry`; here only the waiting differs.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, TypeVar, cast, overload

from kecoa._kecoa import OperationalError, ProgrammingError, RetryPolicy
from kecoa.aio._connection import AsyncConnection
from kecoa.aio._debts import owe
from kecoa.aio._pool import AsyncConnectionPool
from kecoa.retry import _Options, _Run
from kecoa.retry._bytecode import Place, caller
from kecoa.retry._decisions import AttemptReport, add_note
from kecoa.retry._failure import Facts, facts_of
from kecoa.retry._lazy import refuse_generators, refuse_result

_T = TypeVar("_T")
_IDLE = 0


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


class _AsyncSource:
    """Hands out one connection at a time: the caller's, a pool's, or one that is opened for it."""

    def __init__(self, given: Any) -> None:
        self._given = given
        self._conn: Any = None
        if hasattr(given, "cursor") and hasattr(given, "commit"):
            self._kind = "connection"
            _refuse_blocking(given, given.commit)
        elif hasattr(given, "getconn") and hasattr(given, "putconn"):
            self._kind = "pool"
            _refuse_blocking(given, given.getconn)
        elif callable(given):
            self._kind = "function"
        else:
            raise TypeError(
                "expected a connection of kecoa.aio, a pool with getconn() and putconn(), or a function that"
                f" connects, found {type(given).__name__}"
            )

    @property
    def can_reconnect(self) -> bool:
        return self._kind != "connection"

    async def get(self, fresh: bool) -> Any:
        if self._kind == "connection":
            return self._given
        if fresh:
            await self.done(broken=True)
        if self._conn is None:
            self._conn = await self._given.getconn() if self._kind == "pool" else await self._connected()
        return self._conn

    async def _connected(self) -> Any:
        made = self._given()
        if inspect.isawaitable(made):
            made = await made
        commit = getattr(made, "commit", None)
        if commit is None or not inspect.iscoroutinefunction(commit):
            if callable(getattr(made, "close", None)):
                made.close()
            raise TypeError(
                "expected a function that connects by kecoa.aio.connect, found one that returned"
                f" {type(made).__name__}"
            )
        return made

    def discard(self) -> None:
        """Let the connection go without waiting: a pool's is closed."""
        conn, self._conn = self._conn, None
        if isinstance(conn, AsyncConnection):
            if self._kind == "pool" and isinstance(self._given, AsyncConnectionPool):
                self._given._discard(conn)
            else:
                conn._link.close()

    async def done(self, broken: bool) -> None:
        conn, self._conn = self._conn, None
        if conn is None:
            return
        if broken or self._kind == "function":
            with suppress(Exception):
                await conn.close()
        if self._kind == "pool":
            await self._given.putconn(conn)


def _refuse_blocking(given: Any, method: Any) -> None:
    if not inspect.iscoroutinefunction(method):
        raise TypeError(
            "expected a connection or a pool of kecoa.aio, found"
            f" {type(given).__module__}.{type(given).__name__}, whose methods are not awaited: use"
            " kecoa.run_transaction for it"
        )


class _AsyncRun(_Run):
    """One transaction: its attempts one after the other, as `_Run`; what waits is awaited."""

    # Not those of `_Run`: `begin` and `end`, which use them, have their own forms here.
    source: Any
    runtime: Any
    restore: Any

    def __init__(self, source: Any, options: _Options) -> None:
        super().__init__(lambda: None, options)
        self.source = _AsyncSource(source)
        self._to_close: bool | None = None

    def _close(self, broken: bool) -> None:
        # The decisions are made without waiting; what they leave to be closed is closed after them.
        self._to_close = broken

    async def _closed(self) -> None:
        broken, self._to_close = self._to_close, None
        if broken is None:
            return
        restore, self.restore = self.restore, None
        self.conn = None
        if restore is not None and not broken:
            with suppress(Exception):
                await restore()
        await self.source.done(broken)

    def _throw_away(self) -> None:
        """End it where nothing can be waited for."""
        restore, self.restore = self.restore, None
        conn, self.conn = self.conn, None
        if isinstance(conn, AsyncConnection):
            owe(conn, "ROLLBACK")
            if restore is not None:
                # It waits for nothing.
                with suppress(Exception):
                    restore().send(None)
        self.source.discard()

    async def begin_attempt(self) -> Any:
        """Wait as decided, and return the connection for the next attempt."""
        try:
            while True:
                if self.wait > 0:
                    await self.runtime.sleep(self.wait)
                self.wait = 0.0
                self.number += 1
                try:
                    conn = await self.source.get(self.fresh)
                    while getattr(conn, "broken", False) and self.source.can_reconnect:
                        # Lost while nobody used it: the event loop has noticed.
                        conn = await self.source.get(True)
                    break
                except Exception as error:
                    if not self.fresh or not self._is_worth_another_connection(error):
                        self._close(broken=True)
                        raise
                    self._settle(error, Facts(lost=True), broken=True)
            self.fresh = False
            await self._prepare_attempt(conn)
            return conn
        except GeneratorExit:
            self._throw_away()
            raise
        except BaseException:
            # Also a connection that waits for its next attempt.
            if self._to_close is None:
                self._close(broken=False)
            raise
        finally:
            await self._closed()

    async def _prepare_attempt(self, conn: Any) -> None:
        if getattr(conn, "broken", False):
            raise OperationalError("the connection was lost: it takes a new one to run a transaction")
        if conn.get_transaction_status() != _IDLE:
            raise ProgrammingError(
                "expected a connection outside a transaction, found one inside: commit or roll back first"
            )
        if conn is not self.conn:
            self.conn = conn
            self.restore = await _set_session(conn, self.options)
        self.commits = getattr(conn, "_commits", None)

    async def end_attempt(
        self, error: BaseException | None, comes_back: Callable[[], bool] = lambda: True
    ) -> bool:
        """End the attempt, whose body raised `error` or nothing; True when it is committed."""
        if isinstance(error, GeneratorExit):
            self._throw_away()
            raise error
        try:
            return await self._end_attempt(error, comes_back)
        except GeneratorExit:
            self._throw_away()
            raise
        except BaseException:
            # Cancelled in the middle of it: what it owes is done in the background.
            if self._to_close is None:
                self._close(broken=False)
            raise
        finally:
            await self._closed()

    async def _end_attempt(self, error: BaseException | None, comes_back: Callable[[], bool]) -> bool:
        committing = False
        if error is None:
            misuse = self._misuse()
            if misuse is not None:
                self._close(broken=await self._roll_back_attempt())
                raise misuse
            committing = True
            try:
                await self.conn.commit()
            except BaseException as raised:
                error = raised
            else:
                self._report(None, "committed", 0.0)
                self._close(broken=False)
                return True
        committed_by_itself = self._committed_by_itself()
        broken = await self._roll_back_attempt()
        if not isinstance(error, Exception):
            if committing:
                add_note(error, "kecoa: this interrupted a COMMIT, whose outcome is unknown")
            self._close(broken)
            raise error
        if committed_by_itself and not committing:
            # Some of the body's work is committed: it must not be done a second time.
            self._close(broken)
            self._finish(error, "give_up", "not tried again, because the body committed by itself")
            raise error
        facts = facts_of(error, self.outer)
        lost = facts.lost or broken
        sent = facts.commit_sent or (committing and lost and not facts.certain)
        self._settle(error, Facts(facts.sqlstate, lost, sent), broken, comes_back)
        return False

    def _misuse(self) -> ProgrammingError | None:
        lost = self.conn.closed and not self._closed_by_body()
        if lost and not self._committed_by_itself() and not self._told():
            # The event loop saw it end before COMMIT, which will say so.
            return None
        return super()._misuse()

    async def _roll_back_attempt(self) -> bool:
        """Roll back; whether the connection is lost."""
        try:
            await self.conn.rollback()
        except Exception:
            return not self._closed_by_body()
        return bool(self.conn.closed) and not self._closed_by_body()

    def _told(self) -> bool:
        """Whether the body was told that the connection is lost, and kept it to itself."""
        link = getattr(self.conn, "_link", None)
        return link is not None and link.was_told

    def _is_lost(self) -> bool:
        return bool(self.conn.closed) and not self._closed_by_body()

    def _closed_by_body(self) -> bool:
        return bool(self.conn.closed) and not getattr(self.conn, "broken", True)


async def _set_session(conn: Any, options: _Options) -> Callable[[], Awaitable[None]] | None:
    """Set what this transaction asks of its connection; return what sets it back, None when nothing was."""
    wanted: dict[str, Any] = {}
    for option, name in (("isolation_level",) * 2, ("readonly", "read_only"), ("deferrable",) * 2):
        if getattr(options, option) is not None:
            wanted[name] = getattr(options, option)
    if conn.autocommit:
        wanted["autocommit"] = False
    if not wanted:
        return None
    before = {name: getattr(conn, name) for name in wanted}
    for name, value in wanted.items():
        await getattr(conn, f"set_{name}")(value)

    async def restore() -> None:
        if isinstance(conn, AsyncConnection):
            # Also while a ROLLBACK is under way, which nobody waits for.
            conn._set_session(before)
            return
        for name, value in before.items():
            await getattr(conn, f"set_{name}")(value)

    return restore


async def run_transaction(
    source: Any,
    fn: Callable[..., Awaitable[_T]],
    *args: Any,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
    runtime: AsyncRuntime = _SYSTEM,
) -> _T:
    """Run `await fn(conn, *args)` in a transaction and commit; try again where that is right.

    Returns what `fn` returned. `source` is a connection of `kecoa.aio`, a pool, or a function that connects
    (`lambda: connect(dsn)`), whose connection is closed at the end. Rules, arguments and errors are those of
    `kecoa.run_transaction`. A task that is cancelled stops trying; during COMMIT that leaves its outcome
    unknown, as a note on the CancelledError says.
    """
    refuse_generators(fn)
    run = _AsyncRun(source, _options(policy, on_attempt, isolation_level, readonly, deferrable, runtime))
    while True:
        conn = await run.begin_attempt()
        try:
            made = fn(conn, *args)
            if not inspect.isawaitable(made):
                refuse_result(made, fn)
                raise TypeError(f"expected a coroutine function, found {fn!r}, which returned {made!r}")
            result = await made
            refuse_result(result, fn)
        except BaseException as error:
            await run.end_attempt(error)
            continue
        if await run.end_attempt(None):
            return result


def _options(
    policy: RetryPolicy | None,
    on_attempt: Callable[[AttemptReport], object] | None,
    isolation_level: int | str | None,
    readonly: bool | None,
    deferrable: bool | None,
    runtime: AsyncRuntime,
) -> _Options:
    return _Options(policy, on_attempt, isolation_level, readonly, deferrable, cast("Any", runtime))


@overload
def transactional(fn: Callable[..., Awaitable[_T]], /) -> Callable[..., Awaitable[_T]]: ...
@overload
def transactional(
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
) -> Callable[[Callable[..., Awaitable[_T]]], Callable[..., Awaitable[_T]]]: ...
def transactional(fn: Callable[..., Awaitable[_T]] | None = None, /, **options: Any) -> Any:
    """Make a coroutine function run in a transaction: `fn(conn, ...)` is then called as `fn(source, ...)`.

    Used bare or with the keyword arguments of `run_transaction`.
    """
    if fn is None:
        return functools.partial(transactional, **options)
    if not inspect.iscoroutinefunction(fn):
        raise TypeError(f"expected a coroutine function, found {fn!r}: kecoa.transactional is for functions")
    body = fn

    @functools.wraps(body)
    async def wrapper(source: Any, /, *args: Any, **kwargs: Any) -> _T:
        return await run_transaction(source, lambda conn: body(conn, *args, **kwargs), **options)

    return wrapper


class AsyncAttempt:
    """One attempt of `attempts`: an async context manager whose value is the connection."""

    def __init__(self, loop: _Loop) -> None:
        self._loop = loop
        self._entered = False

    @property
    def number(self) -> int:
        """1 for the first."""
        return self._loop.run.number

    async def __aenter__(self) -> AsyncConnection:
        if self._entered:
            raise RuntimeError("an attempt is entered once: take the next one from the loop")
        self._entered = True
        self._loop.state = "running"
        return cast("AsyncConnection", self._loop.run.conn)

    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Awaitable[bool]:
        # Here, and not in the coroutine: its frame's caller is not the loop's.
        frame = caller(1)
        return self._exit(error, lambda: self._loop.place.will_come_back(frame))

    async def _exit(self, error: BaseException | None, comes_back: Callable[[], bool]) -> bool:
        loop = self._loop
        loop.state = "ended"
        try:
            committed = await loop.run.end_attempt(error, comes_back)
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
        self.run = _AsyncRun(source, options)
        self.state = "retry"
        self.place = Place(None)

    def __aiter__(self) -> AsyncIterator[AsyncAttempt]:
        return self

    def __anext__(self) -> Awaitable[AsyncAttempt]:
        return self._next(Place(caller(1)))

    async def _next(self, place: Place) -> AsyncAttempt:
        if self.state == "fresh":
            raise RuntimeError(
                "expected the attempt to be entered: async for attempt in ...: async with attempt: ..."
            )
        if self.state == "running":
            raise RuntimeError("expected the attempt to have ended before the next one")
        if self.state == "ended":
            raise StopAsyncIteration
        self.state = "ended"
        self.place = place
        await self.run.begin_attempt()
        self.state = "fresh"
        return AsyncAttempt(self)


def attempts(
    source: Any,
    *,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[AttemptReport], object] | None = None,
    isolation_level: int | str | None = None,
    readonly: bool | None = None,
    deferrable: bool | None = None,
    runtime: AsyncRuntime = _SYSTEM,
) -> AsyncIterator[AsyncAttempt]:
    """Yield attempts at a transaction until one is committed. Arguments and errors as of `run_transaction`.

        async for attempt in kecoa.aio.attempts(pool):
            async with attempt as conn:
                ...

    Leaving the block commits. Let it end by itself: see `kecoa.attempts`.
    """
    return _Loop(source, _options(policy, on_attempt, isolation_level, readonly, deferrable, runtime))
