"""The state of one pool, and what follows from a change of it: who is served, what is opened or closed."""

from __future__ import annotations

import math
from collections.abc import Callable

from kecoa.pool._actions import Action, Check, Close, Grant, Open, Reason
from kecoa.pool._records import CHECKED_OUT, CHECKING, IDLE, OPENING, Conn, Counters, Waiter
from kecoa.pool._settings import Settings


class Machine:
    """The state of one pool."""

    def __init__(self, settings: Settings, random: Callable[[], float]) -> None:
        self.settings = settings
        self.min_size = settings.min_size
        self.max_size = settings.max_size
        self.closed = True
        #: What is to be done, in order. Whoever calls takes it.
        self.actions: list[Action] = []
        #: The next time `tick` has something to do, or earlier; the deadlines of waiters are not in it.
        self.due = math.inf
        self.counters = Counters()
        self._random = random
        self._conns: dict[int, Conn] = {}
        # The one that came back last is checked out first: those that are not needed grow old.
        self._idle: list[int] = []
        # In the order in which they asked; those whose connection is being checked keep their place.
        self._waiters: dict[int, Waiter] = {}
        self._unassigned = 0
        self._opening = 0
        self._last_conn = 0
        self._last_waiter = 0
        self._generation = 0
        self._dormant = False
        # True if there may be connections from before the last drain.
        self._rolling = False
        # Attempts to connect that failed, since the last that did not.
        self._failures = 0
        self._retry_at = 0.0
        self._sweep_at = math.inf

    # ---- what is there ----------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """The number of connections, without those that are being opened."""
        return len(self._conns) - self._opening

    @property
    def opening(self) -> int:
        """The number of connections that are being opened."""
        return self._opening

    def slow(self, now: float) -> int:
        """Return the number of connections that are being opened for so long that nobody counts on them."""
        if not self._opening:
            return 0
        limit = now - self.settings.slow_open_after
        return sum(conn.state == OPENING and conn.since <= limit for conn in self._conns.values())

    @property
    def idle(self) -> int:
        """The number of connections that nobody uses."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """The number of those who wait for a connection."""
        return self._unassigned

    @property
    def stale(self) -> int:
        """The number of connections left from before the last `drain`."""
        return sum(conn.generation < self._generation for conn in self._conns.values())

    # ---- what follows -----------------------------------------------------------------------------

    def _verdict(self, now: float, conn: Conn) -> Reason | None:
        """Return why a connection that comes back in good order is not kept; None if it is."""
        if self.closed:
            return "close"
        if conn.generation < self._generation:
            return "drain"
        if len(self._conns) > self.max_size:
            return "resize"
        if conn.ends_at <= now:
            return "lifetime"
        return None

    def _first(self) -> Waiter | None:
        if not self._unassigned:
            return None
        return next(waiter for waiter in self._waiters.values() if not waiter.conn)

    def _drop(self, waiter: Waiter) -> None:
        del self._waiters[waiter.id]
        self._unassigned -= 1

    def _remove(self, conn: Conn, reason: Reason) -> None:
        if conn.state == IDLE:
            self._idle.remove(conn.id)
        del self._conns[conn.id]
        self.counters.closed[reason] += 1
        self.actions.append(Close(conn.id, reason))

    def _place(self, now: float, conn: Conn) -> None:
        """Give a connection that was just opened or came back to whoever waits longest."""
        if self.closed:
            self._remove(conn, "close")
            return
        conn.since = now
        waiter = self._first()
        if waiter is not None:
            self._assign(now, waiter, conn, just_used=True)
            return
        conn.state = IDLE
        self._idle.append(conn.id)
        settings = self.settings
        if settings.sweep_every is not None:
            self._sweep_at = min(self._sweep_at, now + settings.sweep_every)
        idle_until = math.inf if settings.max_idle is None else now + settings.max_idle
        self.due = min(self.due, self._sweep_at, idle_until, conn.ends_at)

    def _assign(self, now: float, waiter: Waiter, conn: Conn, *, just_used: bool) -> None:
        waiter.conn = conn.id
        conn.waiter = waiter.id
        self._unassigned -= 1
        after = self.settings.check_after
        ask = after is not None and now - conn.since >= after
        if just_used and not ask:
            self._check_out(now, waiter, conn)
            return
        conn.state = CHECKING
        self.actions.append(Check(conn.id, waiter.id, ask))

    def _check_out(self, now: float, waiter: Waiter, conn: Conn) -> None:
        del self._waiters[waiter.id]
        conn.state = CHECKED_OUT
        conn.since = now
        conn.leak_reported = False
        self.counters.checkouts += 1
        if waiter.queued:
            self._count_wait(now - waiter.asked_at)
        if self.settings.leak_after is not None:
            self.due = min(self.due, now + self.settings.leak_after)
        self.actions.append(Grant(waiter.id, conn.id))

    def _count_wait(self, waited: float) -> None:
        self.counters.waits += 1
        self.counters.wait_total += waited
        self.counters.wait_max = max(self.counters.wait_max, waited)

    def _pump(self, now: float) -> None:
        if self.closed:
            return
        self._match(now)
        while self._idle and len(self._conns) > self.max_size:
            self._remove(self._conns[self._idle[0]], "resize")
        self._grow(now)
        self._roll(now)

    def _pump_anew(self, now: float) -> None:
        """Do the same, and set `due` to what is due now."""
        self.due = math.inf
        self._pump(now)
        self._find_due()

    def _match(self, now: float) -> None:
        """Give idle connections to those who wait, in their order."""
        while self._idle and self._unassigned:
            id = self._newest()
            conn = self._conns[id]
            if conn.ends_at <= now:
                self._remove(conn, "lifetime")
                continue
            waiter = self._first()
            if waiter is None:
                return
            self._idle.remove(id)
            self._assign(now, waiter, conn, just_used=False)

    def _newest(self) -> int:
        for id in reversed(self._idle):
            if self._conns[id].generation == self._generation:
                return id
        return self._idle[-1]

    def _oldest_stale(self) -> Conn | None:
        if not self._rolling:
            return None
        self._rolling = bool(self.stale)
        conns = (self._conns[id] for id in self._idle)
        return next((conn for conn in conns if conn.generation < self._generation), None)

    def _grow(self, now: float) -> None:
        """Open connections for those who wait, and up to the smallest size."""
        if self._dormant:
            return
        while len(self._conns) < self.max_size:
            slow = self.slow(now)
            if self._opening - slow >= self._unassigned and len(self._conns) - slow >= self.min_size:
                self._wait_for_openings(now)
                return
            if not self._may_open(now):
                return
            self._open(now)

    def _roll(self, now: float) -> None:
        """Replace an idle connection from before a drain, when no other is being opened."""
        old = self._oldest_stale()
        if old is None or self._opening > self.slow(now) or not self._may_open(now):
            return
        if len(self._conns) >= self.max_size:
            self._remove(old, "drain")
        self._open(now)

    def _may_open(self, now: float) -> bool:
        """While the server can't be reached, or is slow, one attempt at a time, and not too often.

        One that takes long is left to go on, and costs one connection: others are begun in spite of it.
        """
        slow = self.slow(now)
        if not self._failures and not slow:
            return True
        if self._opening > slow:
            self._wait_for_openings(now)
            return False
        if self._failures and now < self._retry_at:
            self.due = min(self.due, self._retry_at)
            return False
        return True

    def _wait_for_openings(self, now: float) -> None:
        """Come back when one that is being opened has taken long."""
        if self._opening:
            after = self.settings.slow_open_after
            begun = (conn.since for conn in self._conns.values() if conn.state == OPENING)
            self.due = min([self.due, *(since + after for since in begun if since + after > now)])

    def _open(self, now: float) -> None:
        self._last_conn += 1
        self._conns[self._last_conn] = Conn(self._last_conn, self._generation, since=now)
        self._opening += 1
        self.actions.append(Open(self._last_conn))

    def _backoff(self) -> float:
        settings = self.settings
        # Beyond 2 ** 60 the cap has long been reached, and the power might not fit a float.
        grown = settings.first_backoff * 2.0 ** min(self._failures - 1, 60)
        return min(grown, settings.max_backoff) * (0.5 + self._random() / 2)

    def _find_due(self) -> None:
        """Set `due`, in which `_may_open` has left its part."""
        settings = self.settings
        if self._idle:
            self.due = min(self.due, self._sweep_at)
            if settings.max_idle is not None and self.size > self.min_size:
                self.due = min(self.due, self._conns[self._idle[0]].since + settings.max_idle)
        for conn in self._conns.values():
            if conn.state == IDLE:
                self.due = min(self.due, conn.ends_at)
            elif conn.state == CHECKED_OUT and settings.leak_after is not None and not conn.leak_reported:
                self.due = min(self.due, conn.since + settings.leak_after)
