"""What the pool of threads does in the background: notifies waiters, connects, keeps time."""

from __future__ import annotations

import math
import queue
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from kecoa import ProgrammingError, connect
from kecoa.pool._actions import Action, Check, Close, Expire, Fail, Grant, Leak, Look, Open, Reason, Refuse
from kecoa.pool._common import PoolBase, as_error, classify, logger
from kecoa.pool._core import Core
from kecoa.pool._entries import PoolEntry, WaiterState
from kecoa.pool._state import State

#: Threads that connect at the same time, for one pool.
_OPENERS = 8
#: No sleep is longer, which platforms limit.
LONGEST_SLEEP = 3600.0
#: Nor is one of a caller's thread: a signal that came just before it is handled only behind it.
LONGEST_NAP = 1.0


class ThreadWaiter(WaiterState):
    """A thread that waits for a connection."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        super().__init__()
        # Held until there is an action; made only by a thread that has to wait.
        self.lock: threading.Lock | None = None

    def notify(self, action: Action, error: BaseException | None) -> None:
        super().notify(action, error)
        if self.lock is not None and self.lock.locked():
            self.lock.release()


@dataclass
class Todo:
    """What follows from a change and is done when the lock is free again."""

    close: list[tuple[Any, Reason]]
    look: list[tuple[int, Any]]
    warn: list[str]
    openers: int = 0
    wake: bool = False


class ThreadedPool(PoolBase):
    """The state of a pool of threads, and what follows from its changes."""

    _dsn: str | None
    _configure: Callable[[Any], object] | None

    def _begin(self) -> None:
        """Make the state of a pool that has nothing."""
        self._core = Core(self._settings, random.random)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._watched = 0
        self._waiting: dict[int, ThreadWaiter] = {}
        self._to_open: deque[int] = deque()
        self._openers = 0
        # To the maintenance thread. Its `put` is safe where a garbage collection may interrupt anything.
        self._mailbox: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._maintenance: threading.Thread | None = None
        self._planned = math.inf

    def _forked(self) -> None:
        was_open = not self._core.closed
        self._abandon()
        sizes = self._core.min_size, self._core.max_size
        self._begin()
        self._core.min_size, self._core.max_size = sizes
        if was_open:
            self._core.open(time.monotonic(), dormant=True)

    # ---- what follows -----------------------------------------------------------------------------

    def _settle(self) -> Todo:
        """Take the core's actions, with the lock held: notify waiters, and return what is left to do."""
        todo = Todo([], [], [])
        core = self._core
        for action in core.actions:
            if isinstance(action, (Grant, Check, Expire, Refuse, Fail)):
                state = self._waiting.get(action.waiter)
                if state is not None:
                    state.notify(action, self._last_error)
            elif isinstance(action, Open):
                self._to_open.append(action.conn)
            elif isinstance(action, Close):
                entry = self._entries.pop(action.conn, None)
                if entry is not None and entry.conn is not None:
                    todo.close.append((entry.conn, action.reason))
            elif isinstance(action, Look):
                todo.look.append((action.conn, self._entries[action.conn].conn))
            elif isinstance(action, Leak):
                todo.warn.append(self._leak_text(action.conn, action.held))
        core.actions.clear()
        if self._to_open:
            # Those that are stuck hold up no others.
            limit = _OPENERS + core.slow(time.monotonic())
            todo.openers = max(0, min(len(self._to_open), limit - self._openers))
        self._openers += todo.openers
        if core.due < self._planned or (todo.openers and self._maintenance is None):
            self._planned = core.due
            todo.wake = True
        if core.closed and not core.size and self._maintenance is not None:
            todo.wake = True
        if self._watched:
            self._changed.notify_all()
        return todo

    def _do(self, todo: Todo) -> None:
        """Do what was left, without the lock."""
        for text in todo.warn:
            logger.warning("%s", text)
        for conn, reason in todo.close:
            logger.debug("%s: closing a connection: %s", self.name, reason)
            with suppress(Exception):
                conn.close()
        for _ in range(todo.openers):
            self._start_opener()
        if todo.wake:
            self._wake_maintenance()
        for number, conn in todo.look:
            self._look(number, conn)

    def _look(self, number: int, conn: Any) -> None:
        if not is_alive(conn):
            with self._lock:
                self._core.lost(time.monotonic(), number)
                todo = self._settle()
            self._do(todo)

    # ---- connecting -------------------------------------------------------------------------------

    def _connect(self) -> Any:
        return connect(self._dsn, **self.kwargs)

    def _start_opener(self) -> None:
        thread = threading.Thread(target=self._work, name=f"kecoa {self.name} connects", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # No thread can be had: the interpreter ends, or the process has too many.
            self._work()

    def _work(self) -> None:
        """Open connections until none is asked for."""
        while True:
            with self._lock:
                if not self._to_open:
                    self._openers -= 1
                    return
                number = self._to_open.popleft()
            try:
                self._open_one(number)
            except BaseException:
                # Nothing of ours raises; a handler of the logger may.
                with self._lock:
                    self._openers -= 1
                raise

    def _open_one(self, number: int) -> None:
        core = self._core
        conn = None
        error: BaseException | None = None
        try:
            conn = self._connect()
            if self._configure is not None:
                self._configure(conn)
                if not self._is_outside(conn):
                    raise ProgrammingError(f"{self.name}: configure() left a transaction open")
            state = State(conn)
        except BaseException as raised:
            error = raised
            if conn is not None:
                with suppress(Exception):
                    conn.close()
        with self._lock:
            if self._core is not core:
                return
            now = time.monotonic()
            if error is None:
                self._entries[number] = PoolEntry(number, conn, state, partial(_drop, self._mailbox, number))
                self._last_error = None
                core.opened(now, number)
            else:
                self._last_error = as_error(self.name, error)
                core.open_failed(now, number, classify(error))
            todo = self._settle()
        if error is not None:
            logger.warning("%s: no connection could be opened: %s", self.name, str(error).rstrip())
        self._do(todo)

    # ---- maintenance ------------------------------------------------------------------------------

    def _wake_maintenance(self) -> None:
        with self._lock:
            thread = self._maintenance
            if thread is None:
                thread = self._maintenance = threading.Thread(
                    target=_run_maintenance,
                    args=(weakref.ref(self), self._mailbox),
                    name=f"kecoa {self.name}",
                    daemon=True,
                )
                starts = True
            else:
                starts = False
        if not starts:
            self._mailbox.put(None)
            return
        try:
            thread.start()
        except RuntimeError:
            self._maintenance = None

    def _maintain(self, dropped: list[int]) -> float | None:
        """Do what is due; return the seconds until something is due again, None if nothing will be."""
        with self._lock:
            now = time.monotonic()
            texts = []
            for number in dropped:
                if self._forget_dropped(number):
                    texts.append(self._dropped_text(number))
                    self._core.collected(now, number)
            self._core.tick(now)
            todo = self._settle()
            todo.warn += texts
            todo.wake = False
        self._do(todo)
        with self._lock:
            if self._core.closed and not self._core.size:
                self._maintenance = None
                self._planned = math.inf
                return None
            self._planned = self._core.due
            return max(0.0, self._core.due - time.monotonic())


def _drop(mailbox: queue.SimpleQueue[int | None], number: int, _: weakref.ref[Any]) -> None:
    """Notify the maintenance thread that nobody has a connection any more."""
    mailbox.put(number)


def is_alive(conn: Any) -> bool:
    """Look at the socket, without waiting."""
    try:
        conn.poll()
    except Exception:
        return False
    return not conn.closed


def _run_maintenance(ref: weakref.ref[ThreadedPool], mailbox: queue.SimpleQueue[int | None]) -> None:
    """Run the maintenance thread, which does not keep the pool alive."""
    dropped: list[int] = []
    while True:
        pool = ref()
        if pool is None:
            return
        wait = pool._maintain(dropped)
        del pool
        if wait is None:
            return
        dropped = []
        with suppress(queue.Empty):
            item = mailbox.get(timeout=min(wait, LONGEST_SLEEP))
            while True:
                if item is not None:
                    dropped.append(item)
                item = mailbox.get_nowait()
