"""What the blocking pool and that of asyncio have in common besides the rules: words and figures."""

from __future__ import annotations

import logging
import os
import sys
import weakref
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

from kecoa import OperationalError
from kecoa.pool import _settings
from kecoa.pool._core import Core, Counters, Failure
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


class Place(NamedTuple):
    """One frame of a check-out: kept without its text until somebody asks."""

    code: CodeType
    line: int

    def __str__(self) -> str:
        return f"{self.code.co_filename}:{self.line} in {self.code.co_name}"


def places(frames: int) -> tuple[Place, ...]:
    """Return where the pool was asked: the innermost frames outside this package."""
    if not frames:
        return ()
    found: list[Place] = []
    frame = sys._getframe(1)
    inside = True
    while frame is not None and len(found) < frames:
        if inside:
            module = frame.f_globals.get("__name__", "")
            inside = module.startswith("kecoa.") or module == "contextlib"
        if not inside:
            found.append(Place(frame.f_code, frame.f_lineno))
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(found)


def spell(taken: tuple[Place, ...]) -> str:
    """Say where a connection was taken."""
    return ", called from ".join(map(str, taken)) or "a place that was not recorded (leak_frames=0)"


def classify(error: BaseException) -> Failure:
    """Read from an error in connecting whether another attempt may do better."""
    if not isinstance(error, OperationalError):
        return "final"
    sqlstate = getattr(error, "pgcode", None)
    if sqlstate is None:
        # Wrong credentials come with a SQLSTATE; without one, the network or the server's end.
        return "unreachable"
    return "busy" if sqlstate.startswith(("08", "57P")) or sqlstate == "53300" else "final"


class PoolBase:
    """Names, limits, errors and figures of a pool."""

    _waiters = "callers"

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

    # ---- words ------------------------------------------------------------------------------------

    def _where(self, conn: int) -> str:
        raise NotImplementedError

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
