"""`AsyncConnectionPool`: a connection pool for asyncio."""

from __future__ import annotations

import asyncio
import math
import time
import warnings
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from kecoa._kecoa import ProgrammingError
from kecoa.aio._checkout import AsyncCheckout
from kecoa.aio._connection import AsyncConnection
from kecoa.aio._hooks import call_hook
from kecoa.aio._state import State
from kecoa.aio._tasks import TaskPool, TaskWaiter, is_alive
from kecoa.pool import (
    PoolClosed as PoolClosed,
    PoolFull as PoolFull,
    PoolTimeout as PoolTimeout,
    _arguments,
    _settings,
)
from kecoa.pool._actions import Check, Grant, Reason
from kecoa.pool._call_sites import call_sites
from kecoa.pool._common import CHECK_TIMEOUT, DISCARD_SESSION, logger
from kecoa.pool._entries import PoolEntry

_Hook = Callable[[AsyncConnection[Any]], Awaitable[object]]

#: Seconds that `close` gives to attempts to connect, which it cancels.
_CLOSE_TIMEOUT = 5.0


class AsyncConnectionPool(TaskPool):
    """A pool of connections, each used by one task at a time.

        async with AsyncConnectionPool(dsn, min_size=2, max_size=10) as pool:
            async with pool.connection() as conn:
                await conn.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (100, 1))

    The options, rules, names and figures are those of `kecoa.pool.Pool`, which explains them, with tasks in
    the place of threads. What is different:

    - A pool is opened by `async with` or `await pool.open()`, and belongs to the event loop in which that is
      done. In a forked child it is empty and closed.
    - The hooks `check`, `configure` and `reset` are awaited.
    - `kwargs` are those of `kecoa.aio.connect`; connections are made by `connection_class`.
    """

    _callers = "tasks"
    _awaits = True
    _how_to_open = "`await pool.open()` or `async with pool`"

    def __init__(
        self,
        dsn: str | None = None,
        *,
        min_size: int | None = None,
        max_size: int | None = None,
        kwargs: dict[str, Any] | None = None,
        timeout: float | None = 30.0,
        max_waiting: int = 0,
        max_idle: float | None = 600.0,
        max_lifetime: float | None = 1800.0,
        lifetime_jitter: float = 0.1,
        check: _Hook | None = None,
        check_after: float | None = None,
        configure: _Hook | None = None,
        reset: _Hook | None = None,
        leak_after: float | None = None,
        leak_frames: int = 1,
        connection_class: type[AsyncConnection[Any]] = AsyncConnection,
        name: str = "pool",
    ) -> None:
        super().__init__(
            min_size=min_size,
            max_size=max_size,
            kwargs=kwargs,
            timeout=timeout,
            max_waiting=max_waiting,
            max_idle=max_idle,
            max_lifetime=max_lifetime,
            lifetime_jitter=lifetime_jitter,
            check=check,
            check_after=check_after,
            configure=configure,
            reset=reset,
            leak_after=leak_after,
            leak_frames=leak_frames,
            name=name,
        )
        if not (isinstance(connection_class, type) and issubclass(connection_class, AsyncConnection)):
            raise TypeError(
                f"expected connection_class as a subclass of AsyncConnection, found {connection_class!r}"
            )
        if connection_class.connect.__func__ is AsyncConnection.connect.__func__:  # type: ignore[attr-defined]
            # One of its own may take what it likes.
            _arguments.of_connect(dsn, self.kwargs)
        self._dsn = dsn
        self._check = check or self.check_connection
        self._configure = configure
        self._reset = reset
        self._class = connection_class
        self._begin()

    # ---- life -------------------------------------------------------------------------------------

    async def open(self, wait: bool = False, timeout: float = 30.0) -> None:
        """Begin to open connections, as `Pool.open`."""
        if self._core.closed:
            self._loop = asyncio.get_running_loop()
            self._core.open(time.monotonic())
            self._settle()
        if wait:
            await self.wait(timeout)

    async def wait(self, timeout: float | None = 30.0) -> None:
        """Wait for `min_size` connections, as `Pool.wait`."""
        limit = _settings.optional("timeout", timeout)
        self._check_open()
        core = self._core
        if not await self._until(lambda: core.closed or core.size >= core.min_size, limit):
            raise self._too_few(timeout)
        self._check_open()

    async def close(self, timeout: float | None = 0.0) -> bool:
        """Close idle connections now and the others when they are returned, as `Pool.close`."""
        limit = _settings.optional("timeout", timeout)
        if not self._core.closed:
            openings = self._start_closing()
            if openings:
                # A hook may not let itself be cancelled.
                await asyncio.wait(openings, timeout=_CLOSE_TIMEOUT)
        return await self._until(lambda: not self._core.size, limit)

    def _start_closing(self) -> set[asyncio.Task[None]]:
        """Close what waits for nothing; return the attempts to connect, which are cancelled."""
        self._core.close()
        openings = set(self._openings)
        for task in openings:
            task.cancel()
        self._settle()
        return openings

    async def drain(self, timeout: float | None = 0.0) -> bool:
        """Replace every connection, as `Pool.drain`."""
        limit = _settings.optional("timeout", timeout)
        self._check_open()
        self._core.drain(time.monotonic())
        self._settle()
        return await self._until(lambda: not self._core.stale, limit)

    def resize(self, min_size: int, max_size: int | None = None) -> None:
        """Change the sizes, as `Pool.resize`."""
        max_size = min_size if max_size is None else max_size
        _settings.sizes(min_size, max_size)
        self._check_open()
        self._core.resize(time.monotonic(), min_size, max_size)
        self._settle()

    async def __aenter__(self) -> AsyncConnectionPool:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, GeneratorExit):
            # Thrown away: nothing can be waited for.
            self._start_closing()
        else:
            await self.close()

    async def _until(self, done: Callable[[], bool], timeout: float | None) -> bool:
        if done() or timeout == 0:
            return done()
        watcher = done, asyncio.get_running_loop().create_future()
        self._watchers.append(watcher)
        try:
            await asyncio.wait([watcher[1]], timeout=timeout)
        finally:
            self._watchers.remove(watcher)
        return done()

    def _check_open(self) -> None:
        self._refuse_closed()
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("the pool belongs to another event loop: make one in the loop that uses it")

    # ---- checkout ---------------------------------------------------------------------------------

    def connection(self, timeout: float | None = None) -> AsyncCheckout:
        """Check a connection out for a block: committed at its end, rolled back when it raises."""
        return AsyncCheckout(self, timeout)

    async def getconn(self, timeout: float | None = None) -> AsyncConnection[Any]:
        """Check a connection out, as `Pool.getconn`; return it with `putconn`."""
        limit = self.timeout if timeout is None else _settings.optional("timeout", timeout)
        self._check_open()
        sites = call_sites(self.leak_frames)
        asked = time.monotonic()
        number = self._core.take(asked)
        if not number or not is_alive(self._entries[number].conn):
            number = await self._ask(asked, math.inf if limit is None else limit, number)
        conn: AsyncConnection[Any] = self._hand_out(self._entries[number], sites)
        return conn

    async def _ask(self, asked: float, limit: float, ended: int) -> int:
        """Stand in line; `ended`: the number of one to be handed out at once that was not alive, or 0."""
        if ended:
            waiter = self._core.deny(time.monotonic(), ended, asked, limit)
        else:
            waiter = self._core.acquire(asked, limit)
        state = TaskWaiter()
        self._waiting[waiter] = state
        try:
            self._settle()
            return await self._wait(state, asked, limit)
        except BaseException:
            self._withdraw(waiter, state)
            self._settle()
            raise
        finally:
            self._waiting.pop(waiter, None)

    async def _wait(self, state: TaskWaiter, asked: float, limit: float) -> int:
        """Return the number of the connection that is granted."""
        while True:
            action = state.action
            if action is None:
                await self._sleep(state, asked + limit)
            elif isinstance(action, Grant):
                if not self._entries[action.conn].conn.closed:
                    return action.conn
                # Its end came while it was handed over: on to the next one, in its place in the line.
                state.action = None
                state.future = None
                self._core.deny(time.monotonic(), action.conn, asked, limit)
                self._settle()
            elif isinstance(action, Check):
                await self._examine(state, action, asked, limit)
            else:
                raise self._refusal(state, asked, limit)

    async def _sleep(self, state: TaskWaiter, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        state.future = loop.create_future()
        timer = None
        if deadline != math.inf:
            timer = loop.call_later(max(0.0, deadline - time.monotonic()), self._expire, deadline)
        try:
            await state.future
        finally:
            if timer is not None:
                timer.cancel()

    def _expire(self, deadline: float) -> None:
        # A timer may fire a little before its time.
        self._core.tick(max(time.monotonic(), deadline))
        self._settle()

    async def _examine(self, state: TaskWaiter, check: Check, asked: float, limit: float) -> None:
        conn = self._entries[check.conn].conn
        good = late = False
        try:
            good = is_alive(conn)
            if good and check.ask:
                # No longer than its task would wait for a connection.
                left = max(0.0, asked + limit - time.monotonic())
                await asyncio.wait_for(
                    call_hook("check", self._check, conn), None if left == math.inf else left
                )
                good = self._is_outside(conn)
        except Exception as error:
            late = time.monotonic() >= asked + limit
            good = False
            logger.info("%s: a connection failed its check: %s", self.name, error)
        finally:
            # The task may be cancelled: then the connection is in doubt.
            state.action = None
            state.future = None
            self._core.checked(time.monotonic(), check.conn, good)
            self._settle()
        if late and not isinstance(state.action, Grant):
            # The next one would not be looked at for long enough.
            self._core.counters.timeouts += 1
            raise PoolTimeout(self._timeout_text(time.monotonic(), limit, time.monotonic() - asked))

    async def putconn(self, conn: AsyncConnection[Any]) -> None:
        """Return a connection; an open transaction is rolled back. ProgrammingError for a foreign one."""
        entry = self._claim(conn)
        if entry is None:
            return
        reason: Reason | None = "reset"
        try:
            if self._is_whole(conn):
                reason = self._glance(conn, entry)
                if reason == "reset":
                    reason = await self._clean(conn, entry.state)
        finally:
            entry.conn = conn
            now = time.monotonic()
            if reason is not None or not self._core.give_back(now, entry.number):
                self._core.release(now, entry.number, reason)
                self._settle()

    def _discard(self, conn: AsyncConnection[Any]) -> None:
        """Take a connection back from a task that can wait for nothing: it is closed."""
        entry = self._claim(conn)
        if entry is None:
            return
        entry.conn = conn
        conn._link.close()
        if self._loop is not None and not self._loop.is_closed():
            self._core.release(time.monotonic(), entry.number, "reset")
            self._settle()

    @staticmethod
    def _is_whole(conn: AsyncConnection[Any]) -> bool:
        """Leave what a task left open; False for blocks, which can't be ended by anybody else."""
        if conn._holder is not None:
            conn._holder.leave()
        conn._two_phase.forget()
        return not conn._blocks and conn._pipeline is None

    def _glance(self, conn: AsyncConnection[Any], entry: PoolEntry) -> Reason | None:
        """Return why a connection can't be kept as it is; "reset": it is to be made ready first."""
        if conn.closed:
            return "broken"
        if self._reset is None and self._is_outside(conn) and entry.state.holds(conn):
            return None if is_alive(conn) else "broken"
        return "reset" if self._core.keeps(time.monotonic(), entry.number) else None

    async def _clean(self, conn: AsyncConnection[Any], state: State) -> Reason | None:
        """Make a connection ready for the next task; return why it can't be kept, if it can't."""
        try:
            if not self._is_outside(conn):
                await conn._end("ROLLBACK")
            if self._reset is None and not state.has_session(conn):
                await self.discard_session(conn)
                if self._configure is not None:
                    await call_hook("configure", self._configure, conn)
                    if not self._is_outside(conn):
                        raise ProgrammingError(f"{self.name}: configure() left a transaction open")
            state.restore(conn)
            if self._reset is not None:
                await call_hook("reset", self._reset, conn)
            if not self._is_outside(conn):
                raise ProgrammingError(f"{self.name}: reset() left a transaction open")
            return None if is_alive(conn) else "broken"
        except Exception as error:
            if conn.closed:
                return "broken"
            warnings.warn(f"{self.name}: discarding {conn!r}: {error}", RuntimeWarning, stacklevel=3)
            return "reset"

    # ---- hooks ------------------------------------------------------------------------------------

    @staticmethod
    async def check_connection(conn: AsyncConnection[Any]) -> None:
        """Ask the server whether it is there, as `Pool.check_connection`."""
        await _run_outside(conn, "SELECT 1", CHECK_TIMEOUT)

    @staticmethod
    async def discard_session(conn: AsyncConnection[Any]) -> None:
        """Undo what the last task did to the session, as `Pool.discard_session`."""
        await _run_outside(
            conn, DISCARD_SESSION[conn._inner.get_parameter_status("crdb_version") is not None]
        )
        if not (conn._inner.get_parameter_status("DateStyle") or "ISO").startswith("ISO"):
            # The connection was made with ISO dates, whatever the server's default is.
            await _run_outside(conn, "SET datestyle TO 'ISO'")


async def _run_outside(conn: AsyncConnection[Any], sql: str, timeout: float | None = None) -> None:
    """Run statements outside a transaction."""
    if conn.autocommit:
        await conn.execute(sql, timeout=timeout)
        return
    await conn.set_autocommit(True)
    try:
        await conn.execute(sql, timeout=timeout)
    finally:
        if not conn.closed:
            await conn.set_autocommit(False)
