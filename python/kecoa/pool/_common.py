"""What the blocking pool and that of asyncio have in common besides the rules: words and figures."""

from __future__ import annotations

import logging
import os
import sys
import time
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeAlias

from kecoa import OperationalError, ProgrammingError
from kecoa.pool import _settings
from kecoa.pool._actions import Action, Expire, Fail, Failure, Refuse
from kecoa.pool._core import Core
from kecoa.pool._errors import PoolClosed, PoolFull, PoolTimeout
from kecoa.pool._records import Counters
from kecoa.pool._settings import Settings

logger = logging.getLogger("kecoa.pool")

#: How many of the longest holders an error names.
_NAMED = 3

#: What undoes the settings of a session, apart from what is prepared: the driver keeps account of that.
DISCARD_SESSION = {
    False: (
        "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *;"
        " SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
    ),
    # CockroachDB has neither LISTEN nor advisory locks, and refuses several DISCARDs in one transaction.
    True: "CLOSE ALL; RESET ALL",
}


#: One frame of a check-out: its code and the instruction, from which the line is found when somebody asks.
Place: TypeAlias = tuple[CodeType, int]


def places(frames: int) -> tuple[Place, ...]:
    """Return where the pool was asked: the innermost frames outside this package."""
    if not frames:
        return ()
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module[:6] != "kecoa." and module != "contextlib":
            break
        frame = frame.f_back
    else:
        return ()
    if frames == 1:
        return ((frame.f_code, frame.f_lasti),)
    found: list[Place] = []
    while frame is not None and len(found) < frames:
        found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)


def spell(taken: tuple[Place, ...]) -> str:
    """Say where a connection was taken."""
    return ", called from ".join(map(_spell, taken)) or "a place that was not recorded (leak_frames=0)"


def _spell(place: Place) -> str:
    code, instruction = place
    lines = (line for start, end, line in code.co_lines() if start <= instruction < end)
    return f"{code.co_filename}:{next(lines, None) or code.co_firstlineno} in {code.co_name}"


class Kept:
    """A connection of a pool, from its opening to its end."""

    __slots__ = ("conn", "number", "ref", "session", "taken")

    def __init__(
        self, number: int, conn: Any, session: tuple[Any, ...], dropped: Callable[[weakref.ref[Any]], object]
    ) -> None:
        #: The core's.
        self.number = number
        #: None while it is lent: only its borrower keeps it alive then.
        self.conn: Any = conn
        #: Tells, through `dropped`, when it was lent and is no more.
        self.ref = weakref.ref(conn, dropped)
        #: Its settings after `configure`.
        self.session = session
        #: Where it was lent.
        self.taken: tuple[Place, ...] = ()


class Waiting:
    """Where a caller finds what became of its question."""

    __slots__ = ("action", "error")

    def __init__(self) -> None:
        self.action: Action | None = None
        self.error: BaseException | None = None

    def tell(self, action: Action, error: BaseException | None) -> None:
        """Say what became of it, and wake who sleeps."""
        self.action = action
        if isinstance(action, Fail):
            self.error = error


def classify(error: BaseException) -> Failure:
    """Read from an error in connecting whether another attempt may do better."""
    if not isinstance(error, OperationalError):
        return "final"
    sqlstate = getattr(error, "pgcode", None)
    if sqlstate is None:
        # Wrong credentials come with a SQLSTATE; without one, the network or the server's end.
        return "unreachable"
    return "busy" if sqlstate.startswith(("08", "57P")) or sqlstate == "53300" else "final"


def as_error(name: str, error: BaseException) -> Exception:
    """Return what a caller is told of an attempt to connect that ended with `error`.

    What ends a thread or a task of the pool's (SystemExit, CancelledError and the like, from a hook) is not
    meant for the caller's.
    """
    if isinstance(error, Exception):
        return error
    told = OperationalError(f"{name}: opening a connection was ended by {type(error).__name__}: {error}")
    told.__cause__ = error
    return told


class PoolBase:
    """Names, limits, errors and figures of a pool."""

    _waiters = "callers"
    _how_to_open = "`pool.open()` or `with pool`"

    def __init__(
        self,
        *,
        min_size: int,
        max_size: int | None,
        kwargs: dict[str, Any] | None,
        timeout: float | None,
        name: str,
        leak_frames: int,
        check: Callable[..., Any] | None,
        check_after: float | None,
        **limits: Any,
    ) -> None:
        if max_size is None:
            max_size = min_size
        if check is not None and check_after is None:
            check_after = 0.0
        self._settings = Settings(min_size=min_size, max_size=max_size, check_after=check_after, **limits)
        self.kwargs = dict(kwargs or {})
        self.timeout = _settings.optional("timeout", timeout)
        self.leak_frames = _settings.whole("leak_frames", leak_frames)
        self.name = name
        self._core: Core
        self._last_error: BaseException | None = None
        # Connections that a forked child has from its parent, which it must not touch.
        self._foreign: list[Any] = []
        # By the core's number.
        self._kept: dict[int, Kept] = {}
        # Those that are lent, by id() of the connection.
        self._lent: dict[int, Kept] = {}
        _pools.add(self)

    def _forked(self) -> None:
        """Begin anew in a forked child."""
        raise NotImplementedError

    @property
    def min_size(self) -> int:
        """How many connections are kept open."""
        return self._core.min_size

    @property
    def max_size(self) -> int:
        """How many connections there are at most."""
        return self._core.max_size

    @property
    def max_waiting(self) -> int:
        """How many callers may wait; 0: any number."""
        return self._settings.max_waiting

    @property
    def max_idle(self) -> float | None:
        """After how many unused seconds connections beyond `min_size` are closed; None: never."""
        return self._settings.max_idle

    @property
    def max_lifetime(self) -> float | None:
        """After how many seconds a connection is replaced; None: never."""
        return self._settings.max_lifetime

    @property
    def closed(self) -> bool:
        """Whether it is closed, or was not opened."""
        return self._core.closed

    # ---- connections ------------------------------------------------------------------------------

    def _claim(self, conn: Any) -> Kept | None:
        """Find a connection that comes back; None for a parent's. ProgrammingError for one not lent.

        No second call finds it, in whatever thread: it is taken out by one step.
        """
        kept = self._lent.pop(id(conn), None)
        if kept is not None and kept.ref() is conn:
            return kept
        if any(conn is foreign for foreign in self._foreign):
            return None
        raise ProgrammingError(
            f"{self.name}: expected a connection of this pool that is lent, found {conn!r}"
        )

    def _forget_dropped(self, number: int) -> bool:
        """Forget a connection whose borrower let it go; False when it came back before."""
        kept = self._kept.get(number)
        if kept is None or kept.conn is not None:
            return False
        for key, other in list(self._lent.items()):
            if other is kept:
                del self._lent[key]
        return True

    def _abandon(self) -> None:
        """Leave all connections to the parent process, without touching them."""
        lent = (kept.ref() for kept in self._lent.values())
        idle = (kept.conn for kept in self._kept.values())
        self._foreign += [conn for conn in (*idle, *lent) if conn is not None]
        self._kept, self._lent = {}, {}

    # ---- words ------------------------------------------------------------------------------------

    def _refuse_closed(self) -> None:
        if self._core.closed:
            raise self._closed_error()

    def _closed_error(self) -> PoolClosed:
        return PoolClosed(f"{self.name} is closed: open it with {self._how_to_open}")

    def _too_few(self, timeout: float | None) -> PoolTimeout:
        found = self._sizes(time.monotonic())
        return PoolTimeout(
            f"{self.name}: expected {self.min_size} connections after {timeout} s, found {found}"
        )

    def _refusal(self, slot: Waiting, asked: float, limit: float) -> BaseException:
        """Return what a waiter who gets no connection is told."""
        now = time.monotonic()
        action = slot.action
        if isinstance(action, Refuse):
            return PoolFull(self._full_text(now)) if action.why == "full" else self._closed_error()
        if slot.error is not None and not isinstance(action, Expire):
            return slot.error
        return PoolTimeout(self._timeout_text(now, limit, now - asked))

    def _where(self, conn: int) -> str:
        kept = self._kept.get(conn)
        return spell(kept.taken if kept is not None else ())

    def _sizes(self, now: float) -> str:
        core = self._core
        holders = core.holders()
        text = f"size {core.size} of at most {core.max_size}, {len(holders)} in use, {core.waiting} more wait"
        if core.opening:
            text += f", {core.opening} being opened"
        if holders:
            longest = [f"{now - since:.1f} s by {self._where(conn)}" for since, conn in holders[:_NAMED]]
            text += "; held longest: " + "; ".join(longest)
        if self._last_error is not None:
            text += f"; the last attempt to connect failed: {self._last_error}"
        return text

    def _timeout_text(self, now: float, timeout: float, waited: float) -> str:
        return (
            f"{self.name}: no connection came free in {timeout:g} s: waited {waited:.3f} s;"
            f" {self._sizes(now)}"
        )

    def _full_text(self, now: float) -> str:
        return (
            f"{self.name}: {self._core.waiting} {self._waiters} wait for a connection already:"
            f" {self._sizes(now)}"
        )

    def _leak_text(self, conn: int, held: float) -> str:
        return (
            f"{self.name}: a connection is held for {held:.1f} s, longer than leak_after"
            f" ({self._settings.leak_after:g} s); it was taken at {self._where(conn)}"
        )

    def _dropped_text(self, conn: int) -> str:
        return (
            f"{self.name}: a connection was dropped without being returned, and is replaced; it was taken at"
            f" {self._where(conn)}"
        )

    # ---- figures ----------------------------------------------------------------------------------

    def stats(self) -> dict[str, int | float]:
        """Return the pool's figures.

        Now: `pool_min`, `pool_max`, `pool_size` (without those being opened), `pool_available`,
        `pool_in_use`, `pool_opening`, `requests_waiting`. Since the pool was made: `opened`,
        `open_failures`, `closed_<reason>` (broken: came back unusable; check; close; drain; idle; leak;
        lifetime; lost: found ended while idle; reset; resize), `checks_failed`, `lent`, `waits` (loans
        and time-outs that were not served at once), `wait_seconds_total`, `wait_seconds_max`, `timeouts`,
        `refused` (the line was full), `leaks`.
        """
        core = self._core
        counters: Counters = core.counters
        size, idle = core.size, core.idle
        return {
            "pool_min": core.min_size,
            "pool_max": core.max_size,
            "pool_size": size,
            "pool_available": idle,
            "pool_in_use": size - idle,
            "pool_opening": core.opening,
            "requests_waiting": core.waiting,
            "opened": counters.opened,
            "open_failures": counters.open_failures,
            **{f"closed_{reason}": count for reason, count in counters.closed.items()},
            "checks_failed": counters.checks_failed,
            "lent": counters.lent,
            "waits": counters.waits,
            "wait_seconds_total": counters.wait_total,
            "wait_seconds_max": counters.wait_max,
            "timeouts": counters.timeouts,
            "refused": counters.refused,
            "leaks": counters.leaks,
        }

    def metrics(self) -> str:
        """Return the figures of `stats` in the text format of Prometheus, labelled with the pool's name."""
        label = self.name.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        lines: list[str] = []
        closed: list[str] = []
        for name, value in self.stats().items():
            if name.startswith("closed_"):
                reason = name.removeprefix("closed_")
                closed.append(f'kecoa_pool_closed_total{{pool="{label}",reason="{reason}"}} {value}')
                continue
            gauge = name.startswith(("pool_", "requests_")) or name == "wait_seconds_max"
            full = "kecoa_pool_" + name.removeprefix("pool_").removesuffix("_total")
            full = full if gauge else f"{full}_total"
            lines += [f"# TYPE {full} {'gauge' if gauge else 'counter'}", f'{full}{{pool="{label}"}} {value}']
        return "\n".join([*lines, "# TYPE kecoa_pool_closed_total counter", *closed]) + "\n"

    def get_stats(self) -> dict[str, int]:
        """Return how many connections and waiting callers there are. `stats` has more."""
        core = self._core
        return {
            "pool_min": core.min_size,
            "pool_max": core.max_size,
            "pool_size": core.size,
            "pool_available": core.idle,
            "requests_waiting": core.waiting,
        }

    def __repr__(self) -> str:
        core = self._core
        state = "closed" if core.closed else f"{core.idle} of {core.size} free"
        return (
            f"<{type(self).__module__.partition('._')[0]}.{type(self).__qualname__} {self.name!r} [{state}]>"
        )


_pools: weakref.WeakSet[PoolBase] = weakref.WeakSet()


def _after_fork() -> None:
    """Empty the pools of a forked child: their sockets are the parent's."""
    for pool in list(_pools):
        pool._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
