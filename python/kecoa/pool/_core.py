"""The rules of a pool: who gets which connection, and when connections are opened, looked at and closed.

No I/O, clock, thread or chance in here: times and random numbers are passed in, connections and waiters are
numbers. Each call changes the state and appends to `actions` what the pool around it has to do. The blocking
pool and that of asyncio share it; the Rust client has the same rules in `kecoa::pool::core`, and both are
held to one table of scenarios in virtual time.
"""

from __future__ import annotations

import math

from kecoa.pool._actions import Expire, Fail, Failure, Leak, Look, Reason, Refuse
from kecoa.pool._machine import Machine
from kecoa.pool._records import CHECKED_OUT, CHECKING, IDLE, Waiter


class Core(Machine):
    """The rules of one pool: each call reports what has happened, or what is wanted."""

    def holders(self) -> list[tuple[float, int]]:
        """Return since when each connection in use is checked out, and its number: the longest held first."""
        return sorted((conn.since, conn.id) for conn in self._conns.values() if conn.state == CHECKED_OUT)

    def keeps(self, now: float, conn: int) -> bool:
        """Return True if a connection in use would be kept if it came back now in good order."""
        return self._verdict(now, self._conns[conn]) is None

    # ---- life of the pool -------------------------------------------------------------------------

    def open(self, now: float, *, dormant: bool = False) -> None:
        """Begin; `dormant`: nothing is opened until somebody asks for a connection."""
        self.closed = False
        self._dormant = dormant
        # What was checked out before the pool was closed does not come back to it.
        self._generation += 1
        self._rolling = True
        self._pump(now)

    def close(self) -> None:
        """End: idle connections are closed, those in use when they come back, and waiters are turned away."""
        self.closed = True
        for waiter in [w for w in self._waiters.values() if not w.conn]:
            self._drop(waiter)
            self.actions.append(Refuse(waiter.id, "closed"))
        for id in list(self._idle):
            self._remove(self._conns[id], "close")

    def drain(self, now: float) -> None:
        """Replace every connection: idle ones one after the other, those in use when they come back."""
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
    # What nearly every checkout is: a connection is free, nobody waits, and nothing else follows. These three
    # come to the same as the calls below, at a fraction of their cost: no waiter, no action, `due` as it was.

    def take(self, now: float) -> int:
        """Check a connection out, to be looked at first; return its number, or 0 where `acquire` must decide.

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
        conn.state = CHECKED_OUT
        conn.since = now
        conn.leak_reported = False
        self.counters.checkouts += 1
        return conn.id

    def deny(self, now: float, id: int, asked: float, timeout: float) -> int:
        """Take note that what was just checked out had ended; return the waiter, whose place it keeps."""
        conn = self._conns[id]
        self.counters.checkouts -= 1
        waiter = Waiter(conn.waiter, asked, asked + timeout, conn=id)
        self._waiters[waiter.id] = waiter
        # Others may have asked meanwhile.
        self._waiters = dict(sorted(self._waiters.items()))
        conn.state = CHECKING
        self.checked(now, id, False)
        return waiter.id

    def give_back(self, now: float, id: int) -> bool:
        """Take a connection back in good order; False, and nothing done, where `release` must decide."""
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
        conn.state = IDLE
        self._idle.append(id)
        return True

    # ---- waiters ----------------------------------------------------------------------------------

    def acquire(self, now: float, timeout: float) -> int:
        """Ask for a connection, and return the waiter's number."""
        self._last_waiter += 1
        waiter = Waiter(self._last_waiter, now, now + timeout)
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
        conn.state = IDLE
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
            self._check_out(now, waiter, conn)
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
        """Take a connection back; with a reason, to be closed."""
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
        if conn is None or conn.state != IDLE:
            return
        self._remove(conn, "lost")
        self._sweep_at = self.due = now
        self._pump(now)

    def collected(self, now: float, id: int) -> None:
        """Take note that a connection in use was dropped and can't come back."""
        conn = self._conns.get(id)
        if conn is not None and conn.state == CHECKED_OUT:
            if not conn.leak_reported:
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
                if (
                    conn.state == CHECKED_OUT
                    and not conn.leak_reported
                    and conn.since + settings.leak_after <= now
                ):
                    conn.leak_reported = True
                    self.counters.leaks += 1
                    self.actions.append(Leak(conn.id, now - conn.since))
        self._pump_anew(now)
