"""`AsyncConnectionPool`: a connection pool for asyncio."""

from __future__ import annotations

import asyncio
import math
import random
import time
import warnings
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import Any

from kecoa import extensions
from kecoa._kecoa import ProgrammingError
from kecoa.aio._checkout import Checkout
from kecoa.aio._connection import AsyncConnection
from kecoa.pool import PoolClosed as PoolClosed, PoolFull as PoolFull, PoolTimeout as PoolTimeout, _settings
from kecoa.pool._actions import Action, Check, Close, Grant, Leak, Look, Open, Reason
from kecoa.pool._common import (
    DISCARD_SESSION,
    Kept,
    Place,
    PoolBase,
    Waiting,
    as_error,
    classify,
    logger,
    places,
)
from kecoa.pool._core import Core

_Hook = Callable[[AsyncConnection], Awaitable[object]]

#: Seconds that `check_connection` gives the server.
_CHECK_TIMEOUT = 5.0
#: Seconds that `close` gives to attempts to connect, which it cancels.
_CLOSE_TIMEOUT = 5.0
#: What is set back when a connection returns.
_SESSION = ("autocommit", "isolation_level", "read_only", "deferrable")
_session_of = attrgetter(*_SESSION)


class _Slot(Waiting):
    """A task that asks."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        super().__init__()
        # Made only by a task that has to wait.
        self.future: asyncio.Future[None] | None = None

    def tell(self, action: Action, error: BaseException | None) -> None:
        super().tell(action, error)
        if self.future is not None and not self.future.done():
            self.future.set_result(None)


class AsyncConnectionPool(PoolBase):
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

    _waiters = "tasks"
    _how_to_open = "`await pool.open()` or `async with pool`"

    def __init__(
        self,
        dsn: str | None = None,
        *,
        min_size: int = 4,
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
        connection_class: type[AsyncConnection] = AsyncConnection,
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
            leak_after=leak_after,
            leak_frames=leak_frames,
            name=name,
        )
        self._dsn = dsn
        self._check = check or self.check_connection
        self._configure = configure
        self._reset = reset
        self._class = connection_class
        self._begin()

    def _begin(self) -> None:
        """Make the state of a pool that has nothing."""
        self._core = Core(self._settings, random.random)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: dict[int, _Slot] = {}
        self._growing: set[asyncio.Task[None]] = set()
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._planned = math.inf

    def _forked(self) -> None:
        self._abandon()
        self._begin()

    # ---- life -------------------------------------------------------------------------------------

    async def open(self, wait: bool = False, timeout: float = 30.0) -> None:
        """Begin to open connections; with `wait`, return when there are `min_size`."""
        if self._core.closed:
            self._loop = asyncio.get_running_loop()
            self._core.open(time.monotonic())
            self._settle()
        if wait:
            await self.wait(timeout)

    async def wait(self, timeout: float | None = 30.0) -> None:
        """Wait until there are `min_size` connections. PoolTimeout after `timeout` seconds."""
        limit = _settings.optional("timeout", timeout)
        self._check_open()
        core = self._core
        if not await self._until(lambda: core.closed or core.size >= core.min_size, limit):
            raise self._too_few(timeout)
        self._check_open()

    async def close(self, timeout: float | None = 0.0) -> bool:
        """Close idle connections now, the others when they are returned; waiting callers get PoolClosed.

        Waits up to `timeout` seconds for those that are in use; returns True if all were returned.
        """
        limit = _settings.optional("timeout", timeout)
        if not self._core.closed:
            growing = self._begin_closing()
            if growing:
                # A hook may not let itself be cancelled.
                await asyncio.wait(growing, timeout=_CLOSE_TIMEOUT)
        return await self._until(lambda: not self._core.size, limit)

    def _begin_closing(self) -> set[asyncio.Task[None]]:
        """Close what waits for nothing; return the attempts to connect, which are cancelled."""
        self._core.close()
        growing = set(self._growing)
        for task in growing:
            task.cancel()
        self._settle()
        return growing

    async def drain(self, timeout: float | None = 0.0) -> bool:
        """Replace every connection, without a moment in which there is none.

        Idle ones are replaced one after the other and stay available meanwhile; those in use when they are
        returned. Waits up to `timeout` seconds; returns True if all are replaced.
        """
        limit = _settings.optional("timeout", timeout)
        self._check_open()
        self._core.drain(time.monotonic())
        self._settle()
        return await self._until(lambda: not self._core.stale, limit)

    def resize(self, min_size: int, max_size: int | None = None) -> None:
        """Change the sizes. Connections beyond the new maximum are closed when they are idle."""
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
            self._begin_closing()
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

    # ---- lending ----------------------------------------------------------------------------------

    def connection(self, timeout: float | None = None) -> Checkout:
        """Check a connection out for a block: committed at its end, rolled back when it raises."""
        return Checkout(self, timeout)

    async def getconn(self, timeout: float | None = None) -> AsyncConnection:
        """Check a connection out; return it with `putconn`.

        PoolTimeout, PoolFull, PoolClosed, or the OperationalError that says why none can be opened.
        """
        limit = self.timeout if timeout is None else _settings.optional("timeout", timeout)
        self._check_open()
        taken = places(self.leak_frames)
        asked = time.monotonic()
        number = self._core.take(asked)
        if number and _is_alive(self._kept[number].conn):
            return self._lend(number, taken)
        limit = math.inf if limit is None else limit
        if number:
            waiter = self._core.deny(time.monotonic(), number, asked, limit)
        else:
            waiter = self._core.acquire(asked, limit)
        slot = _Slot()
        self._slots[waiter] = slot
        try:
            self._settle()
            return self._lend(await self._wait(slot, asked, limit), taken)
        except BaseException:
            self._give_up(waiter, slot)
            raise
        finally:
            self._slots.pop(waiter, None)

    def _lend(self, number: int, taken: tuple[Place, ...]) -> AsyncConnection:
        kept = self._kept[number]
        conn: AsyncConnection = kept.conn
        kept.taken = taken
        self._lent[id(conn)] = kept
        kept.conn = None
        return conn

    async def _wait(self, slot: _Slot, asked: float, limit: float) -> int:
        """Return the number of the connection that is granted."""
        while True:
            action = slot.action
            if action is None:
                await self._sleep(slot, asked + limit)
            elif isinstance(action, Grant):
                if not self._kept[action.conn].conn.closed:
                    return action.conn
                # Its end came while it was handed over: on to the next one, in its place in the line.
                slot.action = None
                slot.future = None
                self._core.deny(time.monotonic(), action.conn, asked, limit)
                self._settle()
            elif isinstance(action, Check):
                await self._examine(slot, action, asked, limit)
            else:
                raise self._refusal(slot, asked, limit)

    async def _sleep(self, slot: _Slot, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        slot.future = loop.create_future()
        timer = None
        if deadline != math.inf:
            timer = loop.call_later(max(0.0, deadline - time.monotonic()), self._expire, deadline)
        try:
            await slot.future
        finally:
            if timer is not None:
                timer.cancel()

    def _expire(self, deadline: float) -> None:
        # A timer may fire a little before its time.
        self._core.tick(max(time.monotonic(), deadline))
        self._settle()

    async def _examine(self, slot: _Slot, check: Check, asked: float, limit: float) -> None:
        conn = self._kept[check.conn].conn
        good = late = False
        try:
            good = _is_alive(conn)
            if good and check.ask:
                # No longer than its task would wait for a connection.
                left = max(0.0, asked + limit - time.monotonic())
                await asyncio.wait_for(self._check(conn), None if left == math.inf else left)
                good = self._is_outside(conn)
        except Exception as error:
            late = time.monotonic() >= asked + limit
            good = False
            logger.info("%s: a connection failed its check: %s", self.name, error)
        finally:
            # The task may be cancelled: then the connection is in doubt.
            slot.action = None
            slot.future = None
            self._core.checked(time.monotonic(), check.conn, good)
            self._settle()
        if late and not isinstance(slot.action, Grant):
            # The next one would not be looked at for long enough.
            self._core.counters.timeouts += 1
            raise PoolTimeout(self._timeout_text(time.monotonic(), limit, time.monotonic() - asked))

    def _give_up(self, waiter: int, slot: _Slot) -> None:
        now = time.monotonic()
        if isinstance(slot.action, Grant):
            # It was ours just when we were cancelled.
            kept = self._kept.get(slot.action.conn)
            if kept is not None and kept.conn is not None:
                self._core.release(now, slot.action.conn)
        else:
            self._core.cancel(now, waiter)
        self._settle()

    async def putconn(self, conn: AsyncConnection) -> None:
        """Return a connection; an open transaction is rolled back. ProgrammingError for a foreign one."""
        kept = self._claim(conn)
        if kept is None:
            return
        reason: Reason | None = "reset"
        try:
            if self._is_whole(conn):
                reason = self._glance(conn, kept)
                if reason == "reset":
                    reason = await self._clean(conn, kept.session)
        finally:
            kept.conn = conn
            now = time.monotonic()
            if reason is not None or not self._core.give_back(now, kept.number):
                self._core.release(now, kept.number, reason)
                self._settle()

    def _discard(self, conn: AsyncConnection) -> None:
        """Take a connection back from a task that can wait for nothing: it is closed."""
        kept = self._claim(conn)
        if kept is None:
            return
        kept.conn = conn
        conn._link.close()
        if self._loop is not None and not self._loop.is_closed():
            self._core.release(time.monotonic(), kept.number, "reset")
            self._settle()

    @staticmethod
    def _is_whole(conn: AsyncConnection) -> bool:
        """Leave what a task left open; False for blocks, which can't be ended by anybody else."""
        if conn._holder is not None:
            conn._holder.leave()
        conn._two_phase.forget()
        return not conn._blocks and conn._pipeline is None

    def _glance(self, conn: AsyncConnection, kept: Kept) -> Reason | None:
        """Why a connection can't be kept as it is; "reset": it is to be made ready first."""
        if conn.closed:
            return "broken"
        if self._reset is None and self._is_outside(conn) and _session_of(conn) == kept.session:
            return None if _is_alive(conn) else "broken"
        return "reset" if self._core.keeps(time.monotonic(), kept.number) else None

    async def _clean(self, conn: AsyncConnection, session: tuple[Any, ...]) -> Reason | None:
        """Make a connection ready for the next task; why it can't be kept, if it can't."""
        try:
            if not self._is_outside(conn):
                await conn._end("ROLLBACK")
            for name, value in zip(_SESSION, session, strict=True):
                if getattr(conn, name) != value:
                    await getattr(conn, f"set_{name}")(value)
            if self._reset is not None:
                await self._reset(conn)
            if not self._is_outside(conn):
                raise ProgrammingError(f"{self.name}: reset() left a transaction open")
            return None if _is_alive(conn) else "broken"
        except Exception as error:
            if conn.closed:
                return "broken"
            warnings.warn(f"{self.name}: discarding {conn!r}: {error}", RuntimeWarning, stacklevel=3)
            return "reset"

    @staticmethod
    def _is_outside(conn: AsyncConnection) -> bool:
        return conn.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE

    # ---- what follows -----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Do what the core asks for."""
        core = self._core
        # What is done may ask for more, behind the rest.
        while core.actions:
            actions, core.actions = core.actions, []
            for action in actions:
                self._do(action)
        if core.due < self._planned:
            self._plan()
        for done, future in self._watchers:
            if not future.done() and done():
                future.set_result(None)

    def _do(self, action: Action) -> None:
        if isinstance(action, Open):
            loop = self._loop or asyncio.get_running_loop()
            task = loop.create_task(self._open_one(action.conn))
            self._growing.add(task)
            task.add_done_callback(self._grown)
        elif isinstance(action, Close):
            kept = self._kept.pop(action.conn, None)
            if kept is not None and kept.conn is not None:
                logger.debug("%s: closing a connection: %s", self.name, action.reason)
                _end(kept.conn)
        elif isinstance(action, Look):
            if not _is_alive(self._kept[action.conn].conn):
                self._core.lost(time.monotonic(), action.conn)
        elif isinstance(action, Leak):
            logger.warning("%s", self._leak_text(action.conn, action.held))
        else:
            slot = self._slots.get(action.waiter)
            if slot is not None:
                slot.tell(action, self._last_error)

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._planned = self._core.due
        if self._loop is not None and self._planned != math.inf:
            wait = max(0.0, self._planned - time.monotonic())
            self._timer = self._loop.call_later(wait, _tick, weakref.ref(self), self._planned)

    def _tick(self, planned: float) -> None:
        self._timer = None
        self._planned = -math.inf
        self._core.tick(max(time.monotonic(), planned))
        self._settle()
        self._plan()

    def _collected(self, number: int) -> None:
        if self._forget_dropped(number):
            logger.warning("%s", self._dropped_text(number))
            self._core.collected(time.monotonic(), number)
            self._settle()

    async def _open_one(self, number: int) -> None:
        core = self._core
        conn = None
        try:
            conn = await self._class.connect(self._dsn, **self.kwargs)
            conn._pool = self
            if self._configure is not None:
                await self._configure(conn)
                if not self._is_outside(conn):
                    raise ProgrammingError(f"{self.name}: configure() left a transaction open")
            session = _session_of(conn)
        except BaseException as error:
            if conn is not None:
                _end(conn)
            self._last_error = as_error(self.name, error)
            if isinstance(error, Exception):
                logger.warning("%s: no connection could be opened: %s", self.name, error)
            core.open_failed(time.monotonic(), number, classify(error))
            self._end_growing()
            self._settle()
            if isinstance(error, (KeyboardInterrupt, SystemExit, asyncio.CancelledError)):
                raise
            return
        self._last_error = None
        dropped = partial(_dropped, weakref.ref(self), asyncio.get_running_loop(), number)
        self._kept[number] = Kept(number, conn, session, dropped)
        core.opened(time.monotonic(), number)
        self._end_growing()
        self._settle()

    def _grown(self, task: asyncio.Task[None]) -> None:
        self._growing.discard(task)
        if not task.cancelled():
            # What ends the event loop has been told by then.
            task.exception()

    def _end_growing(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._growing.discard(task)

    # ---- hooks ------------------------------------------------------------------------------------

    @staticmethod
    async def check_connection(conn: AsyncConnection) -> None:
        """Ask the server whether it is there, for `check`: one round trip, of at most 5 seconds."""
        await _outside(conn, "SELECT 1", _CHECK_TIMEOUT)

    @staticmethod
    async def discard_session(conn: AsyncConnection) -> None:
        """Undo what the last task did to the session, for `reset`: settings, temporary tables, LISTEN.

        As DISCARD ALL, but for prepared statements, which kecoa keeps account of.
        """
        before = conn._inner.get_parameter_status("DateStyle")
        await _outside(conn, DISCARD_SESSION[conn._inner.get_parameter_status("crdb_version") is not None])
        if conn._inner.get_parameter_status("DateStyle") != before:
            # The connection was made with ISO dates, whatever the server's default is.
            await _outside(conn, "SET datestyle TO 'ISO'")


async def _outside(conn: AsyncConnection, sql: str, timeout: float | None = None) -> None:
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


def _is_alive(conn: AsyncConnection) -> bool:
    """Look at the socket, without waiting."""
    if conn.closed:
        return False
    try:
        # Its end may have come since the event loop looked.
        conn._link.poll()
    except Exception:
        return False
    return not conn.closed


def _end(conn: AsyncConnection) -> None:
    conn._pool = None
    conn._link.close()
    conn._messages.end(None)


def _tick(ref: weakref.ref[AsyncConnectionPool], planned: float) -> None:
    """Do what is due: the timer does not keep the pool alive."""
    pool = ref()
    if pool is not None:
        pool._tick(planned)


def _collected(ref: weakref.ref[AsyncConnectionPool], number: int) -> None:
    pool = ref()
    if pool is not None:
        pool._collected(number)


def _dropped(
    pool: weakref.ref[AsyncConnectionPool],
    loop: asyncio.AbstractEventLoop,
    number: int,
    _: weakref.ref[AsyncConnection],
) -> None:
    # In whatever thread, and in the middle of whatever, the garbage was collected.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_collected, pool, number)
