"""`AsyncConnectionPool`: connections that are kept and lent."""

from __future__ import annotations

import asyncio
import random
import warnings
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any

from kecoa import extensions
from kecoa._kecoa import OperationalError, ProgrammingError
from kecoa.aio._connection import AsyncConnection

_Hook = Callable[[AsyncConnection], Awaitable[object]]


class PoolTimeout(OperationalError):
    """No connection came free in time."""


class PoolClosed(OperationalError):
    """The pool is closed, or was not opened."""


class AsyncConnectionPool:
    """Keeps connections, and lends them to one task at a time.

        async with AsyncConnectionPool(dsn, min_size=2, max_size=10) as pool:
            async with pool.connection() as conn:
                await conn.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (100, 1))

    - `min_size` connections are opened with the pool, up to `max_size` (by default as many) when they are
      asked for. Those beyond `min_size` are closed when they were not used for `max_idle` seconds.
    - Tasks get connections in the order in which they asked. After `timeout` seconds they get PoolTimeout;
      when a connection that was to be opened for them can't be, that error. `max_waiting` tasks may wait; 0:
      any number.
    - What the server has closed meanwhile is never lent: the event loop noticed. `check(conn)` may look more
      closely before each loan, and raise: `AsyncConnectionPool.check_connection` asks the server.
    - A connection older than `max_lifetime` seconds (up to a tenth less, so that not all end at once) is
      replaced when it comes back.
    - `configure(conn)` is awaited once for each new connection, `reset(conn)` whenever one comes back; both
      must leave it outside a transaction. `kwargs` are those of `kecoa.aio.connect`.

    A pool belongs to the event loop in which it is opened.
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        min_size: int = 4,
        max_size: int | None = None,
        kwargs: dict[str, Any] | None = None,
        timeout: float = 30.0,
        max_waiting: int = 0,
        max_idle: float = 600.0,
        max_lifetime: float = 3600.0,
        check: _Hook | None = None,
        configure: _Hook | None = None,
        reset: _Hook | None = None,
        connection_class: type[AsyncConnection] = AsyncConnection,
        name: str = "pool",
    ) -> None:
        max_size = min_size if max_size is None else max_size
        if min_size < 0 or max_size < max(min_size, 1):
            raise ValueError(
                f"expected 0 <= min_size <= max_size and max_size > 0, found {min_size}, {max_size}"
            )
        self._dsn = dsn
        self.min_size = min_size
        self.max_size = max_size
        self.kwargs = dict(kwargs or {})
        self.timeout = timeout
        self.max_waiting = max_waiting
        self.max_idle = max_idle
        self.max_lifetime = max_lifetime
        self.name = name
        self._check = check
        self._configure = configure
        self._reset = reset
        self._class = connection_class
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = True
        # The one that came back last is lent first: those that are not needed grow old.
        self._idle: deque[tuple[float, AsyncConnection]] = deque()
        self._lent: dict[int, AsyncConnection] = {}
        self._ends: dict[int, float] = {}
        self._waiting: deque[asyncio.Future[AsyncConnection]] = deque()
        self._growing: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    # ---- life -------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether it is closed, or was not opened."""
        return self._closed

    async def open(self, wait: bool = False, timeout: float = 30.0) -> None:
        """Begin to open connections; with `wait`, return when there are `min_size`."""
        if self._closed:
            self._loop = asyncio.get_running_loop()
            self._closed = False
            for _ in range(self.min_size):
                self._grow()
            self._schedule_sweep(self._loop)
        if wait:
            await self.wait(timeout)

    async def wait(self, timeout: float = 30.0) -> None:
        """Wait until there are `min_size` connections. PoolTimeout after `timeout` seconds."""
        self._check_open()
        if self._growing:
            await asyncio.wait(set(self._growing), timeout=timeout)
        if self._size() < self.min_size:
            raise PoolTimeout(
                f"{self.name}: expected {self.min_size} connections after {timeout} s, found {self._size()}"
            )

    async def close(self) -> None:
        """Close idle connections at once, lent ones when they come back. Waiting tasks get PoolClosed."""
        if self._closed:
            return
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for future in self._waiting:
            if not future.done():
                future.set_exception(PoolClosed(f"{self.name} was closed"))
        self._waiting.clear()
        growing = set(self._growing)
        for task in growing:
            task.cancel()
        while self._idle:
            _, conn = self._idle.pop()
            await self._discard(conn)
        if growing:
            await asyncio.wait(growing)

    async def __aenter__(self) -> AsyncConnectionPool:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # ---- lending ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for a block: committed at its end, rolled back when it raises."""
        conn = await self.getconn(timeout)
        try:
            async with conn:
                yield conn
        finally:
            await self.putconn(conn)

    async def getconn(self, timeout: float | None = None) -> AsyncConnection:
        """Lend a connection; give it back with `putconn`.

        PoolTimeout, PoolClosed, or the OperationalError that says why none can be opened.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        timeout = self.timeout if timeout is None else timeout
        deadline = loop.time() + timeout
        while True:
            conn = self._take_idle() if not self._waiting else None
            if conn is None:
                conn = await self._wait_for_one(loop, deadline, timeout)
            if conn.closed:
                # Its end came while it was handed over.
                self._lent.pop(id(conn), None)
                self._forget(conn)
                self._check_open()
                continue
            if self._check is None:
                return conn
            try:
                await self._check(conn)
            except BaseException as error:
                await self._discard(conn)
                self._lent.pop(id(conn), None)
                self._replace()
                if not isinstance(error, Exception):
                    raise
                self._check_open()
                continue
            return conn

    def _take_idle(self) -> AsyncConnection | None:
        while self._idle:
            _, conn = self._idle.pop()
            if self._is_good(conn):
                self._lent[id(conn)] = conn
                return conn
            self._forget(conn)
        return None

    def _is_good(self, conn: AsyncConnection) -> bool:
        if conn.closed:
            return False
        try:
            # One look at the socket: its end may have come since the event loop looked.
            conn._link.poll()
        except Exception:
            return False
        return True

    async def _wait_for_one(
        self, loop: asyncio.AbstractEventLoop, deadline: float, timeout: float
    ) -> AsyncConnection:
        if self.max_waiting and len(self._waiting) >= self.max_waiting:
            raise PoolTimeout(f"{self.name}: {len(self._waiting)} tasks wait for a connection already")
        future: asyncio.Future[AsyncConnection] = loop.create_future()
        self._waiting.append(future)
        self._grow()
        timer = loop.call_at(deadline, self._time_out, future, timeout)
        try:
            return await future
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                # It was ours just when we were cancelled.
                conn = future.result()
                self._lent.pop(id(conn), None)
                self._deliver(conn)
            raise
        finally:
            timer.cancel()
            with suppress(ValueError):
                self._waiting.remove(future)

    def _time_out(self, future: asyncio.Future[AsyncConnection], timeout: float) -> None:
        if not future.done():
            future.set_exception(PoolTimeout(f"{self.name}: no connection came free in {timeout} s"))

    async def putconn(self, conn: AsyncConnection) -> None:
        """Take a connection back; an open transaction is rolled back. ProgrammingError for one not lent."""
        if self._lent.get(id(conn)) is not conn:
            raise ProgrammingError(
                f"{self.name}: expected a connection of this pool that is lent, found {conn!r}"
            )
        keep = False
        try:
            keep = await self._clean(conn)
        finally:
            self._lent.pop(id(conn), None)
            if keep and not self._closed:
                self._deliver(conn)
            else:
                self._forget(conn)
                conn._link.close()
                if not self._closed:
                    self._replace()

    async def _clean(self, conn: AsyncConnection) -> bool:
        """Make a connection ready for the next task; whether it can be kept."""
        if conn.closed or self._closed:
            return False
        loop = asyncio.get_running_loop()
        try:
            if conn.get_transaction_status() != extensions.TRANSACTION_STATUS_IDLE:
                await conn._end("ROLLBACK")
            if self._reset is not None:
                await self._reset(conn)
                if conn.get_transaction_status() != extensions.TRANSACTION_STATUS_IDLE:
                    raise ProgrammingError(f"{self.name}: reset() left a transaction open")
        except Exception as error:
            warnings.warn(f"{self.name}: discarding {conn!r}: {error}", RuntimeWarning, stacklevel=3)
            return False
        return not conn.closed and loop.time() < self._ends.get(id(conn), loop.time() + 1)

    # ---- sizes ------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise PoolClosed(f"{self.name} is closed: open it with `await pool.open()` or `async with pool`")
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("the pool belongs to another event loop: make one in the loop that uses it")

    def _size(self) -> int:
        return len(self._idle) + len(self._lent)

    def _grow(self) -> None:
        """Begin to open another connection, if there may be one."""
        if self._size() + len(self._growing) < self.max_size:
            task = asyncio.ensure_future(self._open_one())
            self._growing.add(task)
            task.add_done_callback(self._growing.discard)

    def _replace(self) -> None:
        """A connection is gone: open another if somebody waits for it, or there are too few."""
        wanted = min(len(self._waiting), self.max_size) - len(self._growing)
        if wanted > 0 or self._size() + len(self._growing) < self.min_size:
            self._grow()

    async def _open_one(self) -> None:
        conn = None
        try:
            conn = await self._class.connect(self._dsn, **self.kwargs)
            conn._pool = self
            if self._configure is not None:
                await self._configure(conn)
                if conn.get_transaction_status() != extensions.TRANSACTION_STATUS_IDLE:
                    raise ProgrammingError(f"{self.name}: configure() left a transaction open")
        except BaseException as error:
            if conn is not None:
                conn._link.close()
            if not isinstance(error, Exception):
                raise
            self._end_growing()
            # Whoever waits longest is told; if nobody does, the next who asks tries again.
            while self._waiting:
                future = self._waiting.popleft()
                if not future.done():
                    future.set_exception(error)
                    break
            if self._waiting and not self._closed:
                self._grow()
            return
        self._end_growing()
        if self._closed:
            conn._link.close()
            return
        age = self.max_lifetime * (1 - random.random() / 10)  # noqa: S311 - no secret
        self._ends[id(conn)] = asyncio.get_running_loop().time() + age
        self._deliver(conn)

    def _end_growing(self) -> None:
        """Make room at once for the next attempt: whoever is told now may ask for it."""
        task = asyncio.current_task()
        if task is not None:
            self._growing.discard(task)

    def _deliver(self, conn: AsyncConnection) -> None:
        """Give a connection to whoever waits longest."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                self._lent[id(conn)] = conn
                future.set_result(conn)
                return
        self._idle.append((asyncio.get_running_loop().time(), conn))

    def _forget(self, conn: AsyncConnection) -> None:
        self._ends.pop(id(conn), None)
        conn._pool = None

    async def _discard(self, conn: AsyncConnection) -> None:
        self._forget(conn)
        await conn.close()

    def _schedule_sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = loop.call_later(max(self.max_idle / 2, 0.01), self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close what has not been used for long, and what the server has closed."""
        oldest = loop.time() - self.max_idle
        kept: deque[tuple[float, AsyncConnection]] = deque()
        spare = self._size() - self.min_size
        for since, conn in self._idle:
            if conn.closed or (since < oldest and spare > 0):
                spare -= 1
                self._forget(conn)
                conn._link.close()
            else:
                kept.append((since, conn))
        self._idle = kept
        self._replace()
        self._schedule_sweep(loop)

    @staticmethod
    async def check_connection(conn: AsyncConnection) -> None:
        """Ask the server whether it is there, for `check`: one round trip for each loan."""
        if conn.autocommit:
            await conn.execute("SELECT 1")
            return
        await conn.set_autocommit(True)
        try:
            await conn.execute("SELECT 1")
        finally:
            if not conn.closed:
                await conn.set_autocommit(False)

    def get_stats(self) -> dict[str, int]:
        """Return how many connections and waiting tasks there are."""
        return {
            "pool_min": self.min_size,
            "pool_max": self.max_size,
            "pool_size": self._size(),
            "pool_available": len(self._idle),
            "requests_waiting": sum(not future.done() for future in self._waiting),
        }

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._idle)} of {self._size()} free"
        return f"<kecoa.aio.AsyncConnectionPool {self.name!r} [{state}]>"
