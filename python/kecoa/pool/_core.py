"""The rules of a pool: who gets which connection, and when connections are opened, looked at and closed.

No I/O, clock, thread or chance in here: times and random numbers are passed in, connections and waiters are
numbers. Each call changes the state and appends to `actions` what the pool around it has to do. The blocking
pool and that of asyncio share it; the Rust client has the same rules in `kecoa::pool::core`, and both are
held to one table of scenarios in virtual time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from kecoa.pool._actions import (
    REASONS,
    Action,
    Check,
    Close,
    Expire,
    Fail,
    Failure,
    Grant,
    Leak,
    Look,
    Open,
    Reason,
    Refuse,
)
from kecoa.pool._settings import Settings

_OPENING, _IDLE, _CHECKING, _LENT = range(4)


@dataclass(slots=True)
class _Conn:
    id: int
    generation: int
    state: int = _OPENING
    ends_at: float = math.inf
    # When its opening began, it came back, or was lent.
    since: float = 0.0
    waiter: int = 0
    told: bool = False


@dataclass(slots=True)
class _Waiter:
    id: int
    asked_at: float
    deadline: float
    conn: int = 0
    queued: bool = False


@dataclass(slots=True)
class Counters:
    """What has happened since the pool was made."""

    opened: int = 0
    open_failures: int = 0
    closed: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    checks_failed: int = 0
    lent: int = 0
    waits: int = 0
    wait_total: float = 0.0
    wait_max: float = 0.0
    timeouts: int = 0
    refused: int = 0
    leaks: int = 0


class Core:
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
        self._conns: dict[int, _Conn] = {}
        # The one that came back last is lent first: those that are not needed grow old.
        self._idle: list[int] = []
        # In the order in which they asked; those whose connection is being checked keep their place.
        self._waiters: dict[int, _Waiter] = {}
        self._unassigned = 0
        self._opening = 0
        self._last_conn = 0
        self._last_waiter = 0
        self._generation = 0
        self._dormant = False
        # Whether there may be connections from before the last drain.
        self._rolling = False
        # Attempts to connect that failed, since the last that did not.
        self._failures = 0
        self._retry_at = 0.0
        self._sweep_at = math.inf

    # ---- what is there ----------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many connections there are, those that are being opened not counted."""
        return len(self._conns) - self._opening

    @property
    def opening(self) -> int:
        """How many connections are being opened."""
        return self._opening

    def slow(self, now: float) -> int:
        """Return how many connections are being opened for so long that nobody counts on them any more."""
        if not self._opening:
            return 0
        limit = now - self.settings.slow_open_after
        return sum(conn.state == _OPENING and conn.since <= limit for conn in self._conns.values())

    @property
    def idle(self) -> int:
        """How many connections wait to be lent."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """How many wait for a connection."""
        return self._unassigned

    @property
    def stale(self) -> int:
        """How many connections are left from before the last `drain`."""
        return sum(conn.generation < self._generation for conn in self._conns.values())

    def holders(self) -> list[tuple[float, int]]:
        """Return since when each lent connection is lent, and its number: the longest held first."""
        return sorted((conn.since, conn.id) for conn in self._conns.values() if conn.state == _LENT)

    def keeps(self, now: float, conn: int) -> bool:
        """Whether a lent connection would be kept if it came back now in good order."""
        return self._verdict(now, self._conns[conn]) is None

    # ---- life of the pool -------------------------------------------------------------------------

    def open(self, now: float, *, dormant: bool = False) -> None:
        """Begin; `dormant`: nothing is opened until somebody asks for a connection."""
        self.closed = False
        self._dormant = dormant
        # What was lent before the pool was closed does not come back to it.
        self._generation += 1
        self._rolling = True
        self._pump(now)

    def close(self) -> None:
        """End: idle connections are closed, lent ones when they come back, and waiters are turned away."""
        self.closed = True
        for waiter in [w for w in self._waiters.values() if not w.conn]:
            self._drop(waiter)
            self.actions.append(Refuse(waiter.id, "closed"))
        for id in list(self._idle):
            self._remove(self._conns[id], "close")

    def drain(self, now: float) -> None:
        """Replace every connection: idle ones one after the other, lent ones when they come back."""
        self._generation += 1
        self._rolling = True
        self._pump(now)

    def resize(self, now: float, min_size: int, max_size: int) -> None:
        """Change the sizes; what is too much is closed when it is idle."""
        self.min_size = min_size
        self.max_size = max_size
        self._pump(now)

    # ---- without a wait ---------------------------------------------------------------------------
    #
    # What nearly every loan is: a connection is free, nobody waits, and nothing else follows. These three
    # come to the same as the calls below, at a fraction of their cost: no waiter, no action, `due` as it was.

    def take(self, now: float) -> int:
        """Lend a connection, to be looked at first; return its number, or 0 where `acquire` must decide.

        When the look finds that the connection has ended, `deny` goes back to before.
        """
        if not self._idle or self._unassigned or self._dormant or self._rolling:
            return 0
        conn = self._conns[self._idle[-1]]
        settings = self.settings
        if (
            conn.ends_at <= now
            or (settings.check_after is not None and now - conn.since >= settings.check_after)
            or (settings.leak_after is not None and self.due > now + settings.leak_after)
        ):
            return 0
        self._idle.pop()
        self._last_waiter += 1
        conn.waiter = self._last_waiter
        conn.state = _LENT
        conn.since = now
        conn.told = False
        self.counters.lent += 1
        return conn.id

    def deny(self, now: float, id: int, asked: float, timeout: float) -> int:
        """Take note that what was just lent had ended; return the waiter, who keeps its place in the line."""
        conn = self._conns[id]
        self.counters.lent -= 1
        waiter = _Waiter(conn.waiter, asked, asked + timeout, conn=id)
        self._waiters[waiter.id] = waiter
        # Others may have asked meanwhile.
        self._waiters = dict(sorted(self._waiters.items()))
        conn.state = _CHECKING
        self.checked(now, id, False)
        return waiter.id

    def give_back(self, now: float, id: int) -> bool:
        """Take a lent connection back in good order; False, and nothing done, where `release` must decide."""
        conn = self._conns[id]
        settings = self.settings
        due = self.due
        if (
            self._unassigned
            or self.closed
            or self._rolling
            or conn.generation != self._generation
            or len(self._conns) > self.max_size
            or conn.ends_at <= now
            or due > conn.ends_at
            or due > self._sweep_at
            or (settings.sweep_every is not None and self._sweep_at > now + settings.sweep_every)
            or (settings.max_idle is not None and due > now + settings.max_idle)
        ):
            return False
        conn.since = now
        conn.state = _IDLE
        self._idle.append(id)
        return True

    # ---- waiters ----------------------------------------------------------------------------------

    def acquire(self, now: float, timeout: float) -> int:
        """Ask for a connection, and return the waiter's number."""
        self._last_waiter += 1
        waiter = _Waiter(self._last_waiter, now, now + timeout)
        if self.closed:
            self.actions.append(Refuse(waiter.id, "closed"))
            return waiter.id
        self._dormant = False
        self._waiters[waiter.id] = waiter
        self._unassigned += 1
        self._match(now)
        if not waiter.conn and waiter.id in self._waiters:
            limit = self.settings.max_waiting
            if limit and self._unassigned > limit:
                self._drop(waiter)
                self.counters.refused += 1
                self.actions.append(Refuse(waiter.id, "full"))
                return waiter.id
            waiter.queued = True
            if not self.counters.opened:
                # Whoever asks before there ever was a connection wants to know why.
                self._retry_at = now
        self._pump(now)
        return waiter.id

    def cancel(self, now: float, waiter: int) -> None:
        """Forget a waiter to whom no connection was granted; one that was being checked is free again."""
        found = self._waiters.get(waiter)
        if found is None:
            return
        conn = self._conns.get(found.conn)
        if conn is None:
            self._drop(found)
            return
        del self._waiters[waiter]
        if self.closed:
            self._remove(conn, "close")
            return
        # Not as one that was just used: whether it is good is not known.
        conn.state = _IDLE
        self._idle.append(conn.id)
        self._pump(now)
        self._find_due()

    # ---- connections ------------------------------------------------------------------------------

    def opened(self, now: float, id: int) -> None:
        """Take in a connection that was asked for."""
        conn = self._conns[id]
        self._opening -= 1
        self._failures = 0
        self.counters.opened += 1
        lifetime = self.settings.max_lifetime
        if lifetime is not None:
            conn.ends_at = now + lifetime * (1 - self.settings.lifetime_jitter * self._random())
        self._place(now, conn)
        if len(self._conns) > self.min_size:
            old = self._oldest_stale()
            if old is not None:
                self._remove(old, "drain")
        self._pump_anew(now)

    def open_failed(self, now: float, id: int, failure: Failure) -> None:
        """Take note that a connection could not be opened."""
        del self._conns[id]
        self._opening -= 1
        self._failures += 1
        self.counters.open_failures += 1
        waiter = self._first()
        # A server that was there will be there again: who waits goes on waiting, up to the time limit.
        hopeless = failure == "final" or (failure == "unreachable" and not self.counters.opened)
        if hopeless and waiter is not None:
            self._drop(waiter)
            self.actions.append(Fail(waiter.id, id))
            self._retry_at = now if self._unassigned else now + self._backoff()
        else:
            self._retry_at = now + self._backoff()
        self._pump_anew(now)

    def checked(self, now: float, id: int, good: bool) -> None:
        """Take the outcome of a check: the waiter gets the connection, or the next one."""
        conn = self._conns[id]
        waiter = self._waiters[conn.waiter]
        if good and not self.closed:
            self._lend(now, waiter, conn)
            return
        waiter.conn = 0
        self._unassigned += 1
        if good:
            self._remove(conn, "close")
        else:
            self.counters.checks_failed += 1
            self._remove(conn, "check")
            self._sweep_at = self.due = now
        if self.closed:
            self._drop(waiter)
            self.actions.append(Refuse(waiter.id, "closed"))
            return
        self._match(now)
        waiter.queued = waiter.queued or not waiter.conn
        self._pump(now)

    def release(self, now: float, id: int, reason: Reason | None = None) -> None:
        """Take a lent connection back; with a reason, to be closed."""
        conn = self._conns[id]
        if reason is not None:
            self._remove(conn, reason)
            if reason == "broken":
                # What ended this one may have ended others.
                self._sweep_at = self.due = now
        else:
            verdict = self._verdict(now, conn)
            if verdict is None:
                self._place(now, conn)
            else:
                self._remove(conn, verdict)
        self._pump(now)

    def lost(self, now: float, id: int) -> None:
        """Take note that an idle connection has ended. Nothing, when it is not idle any more."""
        conn = self._conns.get(id)
        if conn is None or conn.state != _IDLE:
            return
        self._remove(conn, "lost")
        self._sweep_at = self.due = now
        self._pump(now)

    def collected(self, now: float, id: int) -> None:
        """Take note that a lent connection was dropped and can't come back."""
        conn = self._conns.get(id)
        if conn is not None and conn.state == _LENT:
            if not conn.told:
                self.counters.leaks += 1
            self._remove(conn, "leak")
            self._pump(now)

    def tick(self, now: float) -> None:
        """Do what is due at this time."""
        for waiter in [w for w in self._waiters.values() if not w.conn and w.deadline <= now]:
            self._drop(waiter)
            self.counters.timeouts += 1
            self._count_wait(now - waiter.asked_at)
            self.actions.append(Expire(waiter.id))
        settings = self.settings
        for id in list(self._idle):
            conn = self._conns[id]
            if conn.ends_at <= now:
                self._remove(conn, "lifetime")
            elif (
                settings.max_idle is not None
                and conn.since + settings.max_idle <= now
                and self.size > self.min_size
            ):
                self._remove(conn, "idle")
        if self._sweep_at <= now:
            self.actions += [Look(id) for id in self._idle]
            self._sweep_at = math.inf if settings.sweep_every is None else now + settings.sweep_every
        if settings.leak_after is not None:
            for conn in self._conns.values():
                if conn.state == _LENT and not conn.told and conn.since + settings.leak_after <= now:
                    conn.told = True
                    self.counters.leaks += 1
                    self.actions.append(Leak(conn.id, now - conn.since))
        self._pump_anew(now)

    # ---- within -----------------------------------------------------------------------------------

    def _verdict(self, now: float, conn: _Conn) -> Reason | None:
        """Why a connection that comes back in good order is not kept."""
        if self.closed:
            return "close"
        if conn.generation < self._generation:
            return "drain"
        if len(self._conns) > self.max_size:
            return "resize"
        if conn.ends_at <= now:
            return "lifetime"
        return None

    def _first(self) -> _Waiter | None:
        if not self._unassigned:
            return None
        return next(waiter for waiter in self._waiters.values() if not waiter.conn)

    def _drop(self, waiter: _Waiter) -> None:
        del self._waiters[waiter.id]
        self._unassigned -= 1

    def _remove(self, conn: _Conn, reason: Reason) -> None:
        if conn.state == _IDLE:
            self._idle.remove(conn.id)
        del self._conns[conn.id]
        self.counters.closed[reason] += 1
        self.actions.append(Close(conn.id, reason))

    def _place(self, now: float, conn: _Conn) -> None:
        """Give a connection that was just opened or came back to whoever waits longest."""
        if self.closed:
            self._remove(conn, "close")
            return
        conn.since = now
        waiter = self._first()
        if waiter is not None:
            self._assign(now, waiter, conn, just_used=True)
            return
        conn.state = _IDLE
        self._idle.append(conn.id)
        settings = self.settings
        if settings.sweep_every is not None:
            self._sweep_at = min(self._sweep_at, now + settings.sweep_every)
        idle_until = math.inf if settings.max_idle is None else now + settings.max_idle
        self.due = min(self.due, self._sweep_at, idle_until, conn.ends_at)

    def _assign(self, now: float, waiter: _Waiter, conn: _Conn, *, just_used: bool) -> None:
        waiter.conn = conn.id
        conn.waiter = waiter.id
        self._unassigned -= 1
        after = self.settings.check_after
        ask = after is not None and now - conn.since >= after
        if just_used and not ask:
            self._lend(now, waiter, conn)
            return
        conn.state = _CHECKING
        self.actions.append(Check(conn.id, waiter.id, ask))

    def _lend(self, now: float, waiter: _Waiter, conn: _Conn) -> None:
        del self._waiters[waiter.id]
        conn.state = _LENT
        conn.since = now
        conn.told = False
        self.counters.lent += 1
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

    def _oldest_stale(self) -> _Conn | None:
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
            begun = (conn.since for conn in self._conns.values() if conn.state == _OPENING)
            self.due = min([self.due, *(since + after for since in begun if since + after > now)])

    def _open(self, now: float) -> None:
        self._last_conn += 1
        self._conns[self._last_conn] = _Conn(self._last_conn, self._generation, since=now)
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
            if conn.state == _IDLE:
                self.due = min(self.due, conn.ends_at)
            elif conn.state == _LENT and settings.leak_after is not None and not conn.told:
                self.due = min(self.due, conn.since + settings.leak_after)
