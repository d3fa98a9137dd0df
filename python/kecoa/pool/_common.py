"""What the blocking pool and that of asyncio have in common besides the rules: errors and figures."""

from __future__ import annotations

import logging
import os
import time
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

from kecoa import OperationalError, ProgrammingError, extensions
from kecoa.pool import _arguments, _settings
from kecoa.pool._actions import Expire, Failure, Grant, Refuse
from kecoa.pool._call_sites import CallSite, describe
from kecoa.pool._core import Core
from kecoa.pool._entries import PoolEntry, WaiterState
from kecoa.pool._errors import PoolClosed, PoolFull, PoolTimeout
from kecoa.pool._records import Counters
from kecoa.pool._settings import Settings

logger = logging.getLogger("kecoa.pool")

#: How many of the longest holders an error names.
_NAMED = 3

#: Seconds that `check_connection` gives the server.
CHECK_TIMEOUT = 5.0

#: What undoes the settings of a session, apart from what is prepared: the driver keeps account of that.
DISCARD_SESSION = {
    False: (
        "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *;"
        " SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
    ),
    # CockroachDB has neither LISTEN nor advisory locks, and refuses several DISCARDs in one transaction.
    True: "CLOSE ALL; RESET ALL",
}


def classify(error: BaseException) -> Failure:
    """Return what an error in connecting says of another attempt."""
    if not isinstance(error, OperationalError):
        return "final"
    sqlstate = getattr(error, "pgcode", None)
    if sqlstate is None:
        # Wrong credentials come with a SQLSTATE; without one, the network or the server's end.
        return "unreachable"
    return "busy" if sqlstate.startswith(("08", "57P")) or sqlstate == "53300" else "final"


def as_error(name: str, error: BaseException) -> Exception:
    """Return the error that a caller gets for an attempt to connect that ended with `error`.

    What ends a thread or a task of the pool's (SystemExit, CancelledError and the like, from a hook) is not
    meant for the caller's.
    """
    if isinstance(error, Exception):
        return error
    wrapped = OperationalError(f"{name}: opening a connection was ended by {type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped


class PoolBase:
    """Names, limits, errors and figures of a pool."""

    _callers = "callers"
    _awaits = False
    _how_to_open = "`pool.open()` or `with pool`"

    def __init__(
        self,
        *,
        min_size: int | None,
        max_size: int | None,
        kwargs: dict[str, Any] | None,
        timeout: float | None,
        name: str,
        leak_frames: int,
        check: Callable[..., Any] | None,
        configure: Callable[..., Any] | None,
        reset: Callable[..., Any] | None,
        check_after: float | None,
        **limits: Any,
    ) -> None:
        min_size, max_size = _settings.given_sizes(min_size, max_size)
        if check is not None and check_after is None:
            check_after = 0.0
        self._settings = Settings(min_size=min_size, max_size=max_size, check_after=check_after, **limits)
        self.kwargs = _arguments.keywords(kwargs)
        self.timeout = _settings.optional("timeout", timeout)
        self.leak_frames = _settings.whole("leak_frames", leak_frames)
        self.name = _arguments.text("name", name)
        for hook, function in (("check", check), ("configure", configure), ("reset", reset)):
            _arguments.hook(hook, function, awaited=self._awaits)
        self._core: Core
        self._last_error: BaseException | None = None
        # Connections that a forked child has from its parent, which it must not touch.
        self._foreign: list[Any] = []
        # By the core's number.
        self._entries: dict[int, PoolEntry] = {}
        # Those that are checked out, by id() of the connection.
        self._checked_out: dict[int, PoolEntry] = {}
        _pools.add(self)

    def _forked(self) -> None:
        """Begin anew in a forked child."""
        raise NotImplementedError

    @property
    def min_size(self) -> int:
        """The number of connections that are kept open."""
        return self._core.min_size

    @property
    def max_size(self) -> int:
        """The number of connections that there are at most."""
        return self._core.max_size

    @property
    def max_waiting(self) -> int:
        """The number of callers that may wait; 0: any number."""
        return self._settings.max_waiting

    @property
    def max_idle(self) -> float | None:
        """The seconds without use after which connections beyond `min_size` are closed; None: never."""
        return self._settings.max_idle

    @property
    def max_lifetime(self) -> float | None:
        """The seconds after which a connection is replaced; None: never."""
        return self._settings.max_lifetime

    @property
    def closed(self) -> bool:
        """True if it is closed, or was not opened."""
        return self._core.closed

    # ---- connections ------------------------------------------------------------------------------

    @staticmethod
    def _is_outside(conn: Any) -> bool:
        """Return True if a connection is outside a transaction."""
        return bool(conn.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE)

    def _hand_out(self, entry: PoolEntry, sites: tuple[CallSite, ...]) -> Any:
        """Return a connection that is checked out now."""
        conn = entry.conn
        entry.sites = sites
        self._checked_out[id(conn)] = entry
        entry.conn = None
        return conn

    def _withdraw(self, waiter: int, state: WaiterState) -> None:
        """Have a caller that was interrupted forgotten."""
        now = time.monotonic()
        if not isinstance(state.action, Grant):
            self._core.cancel(now, waiter)
            return
        # Granted just then. One that is handed out already is found when its last reference goes.
        entry = self._entries.get(state.action.conn)
        if entry is not None and entry.conn is not None:
            self._core.release(now, state.action.conn)

    def _claim(self, conn: Any) -> PoolEntry | None:
        """Find a connection that comes back; None for a parent's. ProgrammingError for any other.

        No second call finds it, in whatever thread: it is taken out by one step.
        """
        entry = self._checked_out.pop(id(conn), None)
        if entry is not None and entry.ref() is conn:
            return entry
        if any(conn is foreign for foreign in self._foreign):
            return None
        raise ProgrammingError(
            f"{self.name}: expected a connection that is checked out of this pool, found {conn!r}"
        )

    def _forget_dropped(self, number: int) -> bool:
        """Forget a connection whose user let it go; False when it came back before."""
        entry = self._entries.get(number)
        if entry is None or entry.conn is not None:
            return False
        for key, other in list(self._checked_out.items()):
            if other is entry:
                del self._checked_out[key]
        return True

    def _abandon(self) -> None:
        """Leave all connections to the parent process, without touching them."""
        in_use = (entry.ref() for entry in self._checked_out.values())
        idle = (entry.conn for entry in self._entries.values())
        self._foreign += [conn for conn in (*idle, *in_use) if conn is not None]
        self._entries, self._checked_out = {}, {}

    # ---- errors -----------------------------------------------------------------------------------

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

    def _refusal(self, state: WaiterState, asked: float, limit: float) -> BaseException:
        """Return the error for a waiter who gets no connection."""
        now = time.monotonic()
        action = state.action
        if isinstance(action, Refuse):
            return PoolFull(self._full_text(now)) if action.why == "full" else self._closed_error()
        if state.error is not None and not isinstance(action, Expire):
            return state.error
        return PoolTimeout(self._timeout_text(now, limit, now - asked))

    def _where(self, conn: int) -> str:
        entry = self._entries.get(conn)
        return describe(entry.sites if entry is not None else ())

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
            f"{self.name}: {self._core.waiting} {self._callers} wait for a connection already:"
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
        lifetime; lost: found ended while idle; reset; resize), `checks_failed`, `checkouts`, `waits`
        (checkouts and time-outs that were not served at once), `wait_seconds_total`, `wait_seconds_max`,
        `timeouts`, `refused` (the line was full), `leaks`.
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
            "checkouts": counters.checkouts,
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
        """Return the numbers of connections and waiting callers. `stats` has more."""
        core = self._core
        return {
            "pool_min": core.min_size,
            "pool_max": core.max_size,
            "pool_size": core.size,
            "pool_available": core.idle,
            "requests_waiting": core.waiting,
        }

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"expected something else to copy or pickle, found {self!r}: a pool belongs to its process, make"
            " one in each"
        )

    def __repr__(self) -> str:
        core = self._core
        state = "closed" if core.closed else f"{core.idle} of {core.size} free"
        return f"<{type(self).__module__}.{type(self).__qualname__} {self.name!r} [{state}]>"


_pools: weakref.WeakSet[PoolBase] = weakref.WeakSet()


def live_pools() -> list[PoolBase]:
    """Return the pools of this process that are in use, for the metrics of `kecoa.observe`."""
    return list(_pools)


def _after_fork() -> None:
    """Empty the pools of a forked child: their sockets are the parent's."""
    for pool in list(_pools):
        pool._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
