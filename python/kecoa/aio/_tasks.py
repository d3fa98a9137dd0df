"""What the pool of asyncio does in the background: notifies waiters, connects, keeps time."""

from __future__ import annotations

import asyncio
import math
import random
import time
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from kecoa._kecoa import ProgrammingError
from kecoa.aio._connection import AsyncConnection
from kecoa.aio._hooks import call_hook
from kecoa.aio._state import State
from kecoa.pool._actions import Action, Close, Leak, Look, Open
from kecoa.pool._common import PoolBase, as_error, classify, logger
from kecoa.pool._core import Core
from kecoa.pool._entries import PoolEntry, WaiterState


class TaskWaiter(WaiterState):
    """A task that waits for a connection."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        super().__init__()
        # Made only by a task that has to wait.
        self.future: asyncio.Future[None] | None = None

    def notify(self, action: Action, error: BaseException | None) -> None:
        super().notify(action, error)
        if self.future is not None and not self.future.done():
            self.future.set_result(None)


class TaskPool(PoolBase):
    """The state of a pool of tasks, and what follows from its changes."""

    _dsn: str | None
    _configure: Callable[[AsyncConnection[Any]], Awaitable[object]] | None
    _class: type[AsyncConnection[Any]]

    def _begin(self) -> None:
        """Make the state of a pool that has nothing."""
        self._core = Core(self._settings, random.random)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[int, TaskWaiter] = {}
        self._openings: set[asyncio.Task[None]] = set()
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._planned = math.inf

    def _forked(self) -> None:
        self._abandon()
        self._begin()

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
            self._openings.add(task)
            task.add_done_callback(self._opening_ended)
        elif isinstance(action, Close):
            entry = self._entries.pop(action.conn, None)
            if entry is not None and entry.conn is not None:
                logger.debug("%s: closing a connection: %s", self.name, action.reason)
                _end(entry.conn)
        elif isinstance(action, Look):
            if not is_alive(self._entries[action.conn].conn):
                self._core.lost(time.monotonic(), action.conn)
        elif isinstance(action, Leak):
            logger.warning("%s", self._leak_text(action.conn, action.held))
        else:
            state = self._waiting.get(action.waiter)
            if state is not None:
                state.notify(action, self._last_error)

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
                await call_hook("configure", self._configure, conn)
                if not self._is_outside(conn):
                    raise ProgrammingError(f"{self.name}: configure() left a transaction open")
            state = State(conn)
        except BaseException as error:
            if conn is not None:
                _end(conn)
            self._last_error = as_error(self.name, error)
            if isinstance(error, Exception):
                logger.warning("%s: no connection could be opened: %s", self.name, str(error).rstrip())
            core.open_failed(time.monotonic(), number, classify(error))
            self._forget_opening()
            self._settle()
            if isinstance(error, (KeyboardInterrupt, SystemExit, asyncio.CancelledError)):
                raise
            return
        self._last_error = None
        dropped = partial(_dropped, weakref.ref(self), asyncio.get_running_loop(), number)
        self._entries[number] = PoolEntry(number, conn, state, dropped)
        core.opened(time.monotonic(), number)
        self._forget_opening()
        self._settle()

    def _opening_ended(self, task: asyncio.Task[None]) -> None:
        self._openings.discard(task)
        if not task.cancelled():
            # What ends the event loop was raised there by then.
            task.exception()

    def _forget_opening(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._openings.discard(task)


def is_alive(conn: AsyncConnection[Any]) -> bool:
    """Look at the socket, without waiting."""
    if conn.closed:
        return False
    try:
        # Its end may have come since the event loop looked.
        conn._link.poll()
    except Exception:
        return False
    return not conn.closed


def _end(conn: AsyncConnection[Any]) -> None:
    conn._pool = None
    conn._link.close()
    conn._messages.end(None)


def _tick(ref: weakref.ref[TaskPool], planned: float) -> None:
    """Do what is due: the timer does not keep the pool alive."""
    pool = ref()
    if pool is not None:
        pool._tick(planned)


def _collected(ref: weakref.ref[TaskPool], number: int) -> None:
    pool = ref()
    if pool is not None:
        pool._collected(number)


def _dropped(
    pool: weakref.ref[TaskPool],
    loop: asyncio.AbstractEventLoop,
    number: int,
    _: weakref.ref[AsyncConnection],
) -> None:
    # In whatever thread, and in the middle of whatever, the garbage was collected.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_collected, pool, number)
