"""`Pool`: a connection pool for threads."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from kecoa import ProgrammingError, extensions
from kecoa.pool import _arguments, _settings
from kecoa.pool._actions import Check, Grant, Reason
from kecoa.pool._call_sites import CallSite, call_sites
from kecoa.pool._checkout import Checkout
from kecoa.pool._common import CHECK_TIMEOUT, DISCARD_SESSION, logger
from kecoa.pool._entries import PoolEntry
from kecoa.pool._state import State
from kecoa.pool._threads import LONGEST_NAP, ThreadedPool, ThreadWaiter, is_alive

if TYPE_CHECKING:
    # What connections and rows are is up to `kwargs`.
    Connection = extensions.connection[extensions.cursor[Any]]
    _Hook = Callable[[Connection], object]


class Pool(ThreadedPool):
    """A pool of connections, each used by one thread at a time.

        with Pool(dsn, min_size=2, max_size=10) as pool:
            with pool.connection() as conn:
                conn.cursor().execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (100, 1))

    - `min_size` connections (4, or `max_size` where that is less) are opened with the pool, up to `max_size`
      (by default as many) when they are needed, by daemon threads of the pool's own. Those beyond `min_size`
      are closed after `max_idle` seconds without use.
    - Callers get connections in the order in which they asked. After `timeout` seconds they get PoolTimeout,
      which names the longest holders. `max_waiting` callers may wait; 0: any number. PoolFull beyond it.
    - When no connection can be opened, the caller that has waited longest gets that error. If the server was
      there before, or says that it is starting or full, callers go on waiting, and the pool tries again with
      growing delays.
    - A connection that the server has closed is never handed out: the pool looks at the socket first. A
      connection that was idle for `check_after` seconds is also checked by `check(conn)`, which raises when
      it is unusable; the default is `check_connection`, one round trip. `check_after=None`: never; when only
      `check` is given: each time.
    - A connection older than `max_lifetime` seconds (up to the part `lifetime_jitter` less, so that not all
      end at once) is replaced when it is returned, or while it is idle.
    - A connection that is returned is made as it was after `configure`: an open transaction is rolled back;
      settings of transactions, `binding`, `statement_timeout`, `cursor_factory`, its own typecasters and
      `notices` are restored. When its caller has run SET, RESET or LISTEN, the session is reset by
      `Pool.discard_session`, and `configure` called again; without, no round trip is made. What functions
      change (`set_config`, advisory locks) and temporary tables are left, as nothing tells of them.
    - `configure(conn)` is called for each new connection; `reset(conn)` each time one is returned, in place
      of resetting the session, after the rest was restored. Both must leave it outside a transaction.
      `Pool.discard_session` is a `reset`.
    - A connection that is held for longer than `leak_after` seconds is reported by a warning of the logger
      `kecoa.pool` with the place where it was taken, once; one that is dropped without being returned as
      well, and is replaced. `leak_frames` is how many frames of that place are kept; 0: none.
    - `kwargs` are those of `kecoa.connect`. In a forked child the pool is empty, and opens its own.

    Times are in seconds; None or infinity: no limit. ValueError, TypeError for arguments that make no
    sense; ProgrammingError for a connection string that does not.
    """

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
        name: str = "pool",
        open: bool = True,
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
        _arguments.of_connect(dsn, self.kwargs)
        self._dsn = dsn
        self._check = check or self.check_connection
        self._configure = configure
        self._reset = reset
        self._begin()
        if open:
            self.open()

    # ---- life -------------------------------------------------------------------------------------

    def open(self, wait: bool = False, timeout: float = 30.0) -> None:
        """Begin to open connections; with `wait`, return when there are `min_size`."""
        with self._lock:
            if self._core.closed:
                self._core.open(time.monotonic())
            todo = self._settle()
        self._do(todo)
        if wait:
            self.wait(timeout)

    def wait(self, timeout: float | None = 30.0) -> None:
        """Wait until there are `min_size` connections. PoolTimeout after `timeout` seconds."""
        limit = _settings.optional("timeout", timeout)
        if not self._await(lambda: self._core.closed or self._core.size >= self._core.min_size, limit):
            with self._lock:
                too_few = self._too_few(timeout)
            raise too_few
        self._refuse_closed()

    def close(self, timeout: float | None = 0.0) -> bool:
        """Close idle connections now, the others when they are returned; waiting callers get PoolClosed.

        Waits up to `timeout` seconds for those that are in use; returns True if all were returned.
        """
        limit = _settings.optional("timeout", timeout)
        with self._lock:
            self._core.close()
            todo = self._settle()
        self._do(todo)
        self._mailbox.put(None)
        return self._await(lambda: not self._core.size, limit)

    def drain(self, timeout: float | None = 0.0) -> bool:
        """Replace every connection, without a moment in which there is none.

        Idle ones are replaced one after the other and stay available meanwhile; those in use when they are
        returned. Waits up to `timeout` seconds; returns True if all are replaced.
        """
        limit = _settings.optional("timeout", timeout)
        self._refuse_closed()
        with self._lock:
            self._core.drain(time.monotonic())
            todo = self._settle()
        self._do(todo)
        return self._await(lambda: not self._core.stale, limit)

    def resize(self, min_size: int, max_size: int | None = None) -> None:
        """Change the sizes. Connections beyond the new maximum are closed when they are idle."""
        max_size = min_size if max_size is None else max_size
        _settings.sizes(min_size, max_size)
        with self._lock:
            self._core.resize(time.monotonic(), min_size, max_size)
            todo = self._settle()
        self._do(todo)

    def __enter__(self) -> Pool:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        mailbox = getattr(self, "_mailbox", None)
        if mailbox is not None:
            mailbox.put(None)

    def _await(self, done: Callable[[], bool], timeout: float | None) -> bool:
        with self._changed:
            self._watched += 1
            try:
                return self._changed.wait_for(done, timeout)
            finally:
                self._watched -= 1

    # ---- checkout ---------------------------------------------------------------------------------

    def connection(self, timeout: float | None = None) -> Checkout:
        """Check a connection out for a block: committed at its end, rolled back when it raises.

        `kecoa.errors.InFailedSqlTransaction` at its end when it kept a statement's error to itself.
        """
        return Checkout(self, timeout)

    def getconn(self, timeout: float | None = None) -> Connection:
        """Check a connection out; return it with `putconn`.

        PoolTimeout, PoolFull, PoolClosed, or the OperationalError that says why none can be opened.
        """
        limit = self.timeout if timeout is None else _settings.optional("timeout", timeout)
        sites = call_sites(self.leak_frames)
        asked = time.monotonic()
        with self._lock:
            number = self._core.take(asked)
            if number:
                entry = self._entries[number]
                conn: Connection = self._hand_out(entry, sites)
        if not number:
            return self._ask(asked, limit, sites, None)
        try:
            if is_alive(conn):
                return conn
        except BaseException:
            # The thread was interrupted: then the connection is in doubt.
            self._take_back(self._checked_out.pop(id(conn)), conn, "check")
            raise
        return self._ask(asked, limit, sites, entry)

    def _ask(
        self, asked: float, limit: float | None, sites: tuple[CallSite, ...], ended: PoolEntry | None
    ) -> Connection:
        """Stand in line; `ended`: the connection that was to be handed out at once, and was not alive."""
        limit = math.inf if limit is None else limit
        state = ThreadWaiter()
        waiter = 0
        # Ctrl-C may strike as soon as there is a place in the line to give up.
        try:
            with self._lock:
                if ended is None:
                    waiter = self._core.acquire(asked, limit)
                else:
                    ended.conn = ended.ref()
                    del self._checked_out[id(ended.conn)]
                    waiter = self._core.deny(time.monotonic(), ended.number, asked, limit)
                self._waiting[waiter] = state
                todo = self._settle()
            self._do(todo)
            number = self._wait(waiter, state, asked, limit)
            with self._lock:
                conn: Connection = self._hand_out(self._entries[number], sites)
            return conn
        except BaseException:
            if waiter:
                self._give_up(waiter, state)
            raise
        finally:
            self._waiting.pop(waiter, None)

    def _wait(self, waiter: int, state: ThreadWaiter, asked: float, limit: float) -> int:
        """Return the number of the connection that is granted."""
        while True:
            action = state.action
            if action is None:
                self._sleep(state, asked + limit)
            elif isinstance(action, Grant):
                return action.conn
            elif isinstance(action, Check):
                self._examine(state, action)
            else:
                # It names those who hold a connection, who come and go meanwhile.
                with self._lock:
                    refusal = self._refusal(state, asked, limit)
                raise refusal

    def _sleep(self, state: ThreadWaiter, deadline: float) -> None:
        with self._lock:
            if state.action is not None:
                return
            state.lock = lock = threading.Lock()
            lock.acquire()
        remaining = deadline - time.monotonic()
        if lock.acquire(timeout=max(0.0, min(remaining, LONGEST_NAP))) or remaining > LONGEST_NAP:
            return
        with self._lock:
            self._core.tick(time.monotonic())
            todo = self._settle()
        self._do(todo)

    def _examine(self, state: ThreadWaiter, check: Check) -> None:
        conn = self._entries[check.conn].conn
        good = False
        try:
            good = is_alive(conn)
            if good and check.ask:
                self._check(conn)
                good = self._is_outside(conn)
        except Exception as error:
            good = False
            logger.info("%s: a connection failed its check: %s", self.name, error)
        finally:
            # The thread may be interrupted: then the connection is in doubt.
            with self._lock:
                state.action = None
                self._core.checked(time.monotonic(), check.conn, good)
                todo = self._settle()
            self._do(todo)

    def _give_up(self, waiter: int, state: ThreadWaiter) -> None:
        with self._lock:
            self._withdraw(waiter, state)
            todo = self._settle()
        self._do(todo)

    def putconn(self, conn: Connection) -> None:
        """Return a connection; an open transaction is rolled back. ProgrammingError for a foreign one."""
        entry = self._claim(conn)
        if entry is None:
            return
        reason: Reason | None = "reset"
        try:
            reason = self._clean(conn, entry)
        finally:
            self._take_back(entry, conn, reason)

    def _take_back(self, entry: PoolEntry, conn: Any, reason: Reason | None) -> None:
        core = self._core
        with self._lock:
            entry.conn = conn
            now = time.monotonic()
            if reason is None and core.give_back(now, entry.number):
                return
            core.release(now, entry.number, reason)
            todo = self._settle()
        self._do(todo)

    def _clean(self, conn: Any, entry: PoolEntry) -> Reason | None:
        """Make a connection ready for the next caller; return why it can't be kept, if it can't."""
        try:
            if conn.closed:
                return "broken"
            conn._drop_queued()
            if self._reset is not None or not self._is_outside(conn) or not entry.state.holds(conn):
                if not self._core.keeps(time.monotonic(), entry.number):
                    return None
                self._restore(conn, entry.state)
            return None if is_alive(conn) else "broken"
        except Exception as error:
            if conn.closed:
                return "broken"
            logger.warning("%s: a connection that came back is closed: %s", self.name, error)
            return "reset"

    def _restore(self, conn: Any, state: State) -> None:
        if not self._is_outside(conn):
            conn.rollback()
            if not self._is_outside(conn):
                # Begun by BEGIN in autocommit mode: `rollback()` leaves it alone, as psycopg2's does.
                conn.cursor(cursor_factory=extensions.cursor).execute("ROLLBACK")
        if self._reset is None and not state.has_session(conn):
            self.discard_session(conn)
            if self._configure is not None:
                self._configure(conn)
                if not self._is_outside(conn):
                    raise ProgrammingError("configure() left a transaction open")
        state.restore(conn)
        if self._reset is not None:
            self._reset(conn)
        if not self._is_outside(conn):
            raise ProgrammingError("reset() left a transaction open")

    # ---- hooks ------------------------------------------------------------------------------------

    @staticmethod
    def check_connection(conn: Connection) -> None:
        """Ask the server whether it is there, for `check`: one round trip, of at most 5 seconds."""
        _run_outside(conn, "SELECT 1", CHECK_TIMEOUT)

    @staticmethod
    def discard_session(conn: Connection) -> None:
        """Undo what the last caller did to the session, for `reset`: settings, temporary tables, LISTEN.

        One round trip. As DISCARD ALL, but for prepared statements, which kecoa keeps account of.
        """
        _run_outside(conn, DISCARD_SESSION[conn.get_parameter_status("crdb_version") is not None])
        if not (conn.get_parameter_status("DateStyle") or "ISO").startswith("ISO"):
            # The connection was made with ISO dates, whatever the server's default is.
            _run_outside(conn, "SET datestyle TO 'ISO'")


def _run_outside(conn: Connection, sql: str, timeout: float | None = None) -> None:
    """Run statements outside a transaction."""
    before = conn.autocommit
    conn.autocommit = True
    try:
        with conn.cursor(cursor_factory=extensions.cursor) as cur:
            cur.execute(sql, timeout=timeout)
    finally:
        if not conn.closed:
            conn.autocommit = before
