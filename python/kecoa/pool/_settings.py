"""The numbers that a pool keeps to, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The limits of a pool. Times are in seconds; None: no such limit. See `kecoa.pool.Pool`."""

    min_size: int = 4
    max_size: int = 4
    max_waiting: int = 0
    max_lifetime: float | None = 1800.0
    lifetime_jitter: float = 0.1
    max_idle: float | None = 600.0
    check_after: float | None = None
    sweep_every: float | None = 10.0
    leak_after: float | None = None
    first_backoff: float = 0.1
    max_backoff: float = 10.0
    slow_open_after: float = 2.0

    def __post_init__(self) -> None:
        sizes(self.min_size, self.max_size)
        whole("max_waiting", self.max_waiting)
        number("lifetime_jitter", self.lifetime_jitter)
        if self.lifetime_jitter > 1:
            raise ValueError(f"expected lifetime_jitter from 0 to 1, found {self.lifetime_jitter}")
        for name in ("max_lifetime", "max_idle", "sweep_every", "leak_after"):
            optional(name, getattr(self, name), above_zero=True)
        optional("check_after", self.check_after)
        for name in ("first_backoff", "max_backoff", "slow_open_after"):
            number(name, getattr(self, name), above_zero=True)


def whole(name: str, value: Any) -> int:
    """Return an integer of 0 or more; TypeError, ValueError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected {name} as an integer, found {type(value).__name__}")
    if value < 0:
        raise ValueError(f"expected {name} of 0 or more, found {value}")
    return value


def sizes(min_size: Any, max_size: Any) -> None:
    """Check a pair of sizes; TypeError, ValueError."""
    for name, value in (("min_size", min_size), ("max_size", max_size)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"expected {name} as an integer, found {type(value).__name__}")
    if min_size < 0 or max_size < max(min_size, 1):
        raise ValueError(f"expected 0 <= min_size <= max_size and max_size > 0, found {min_size}, {max_size}")


def given_sizes(min_size: Any, max_size: Any) -> tuple[Any, Any]:
    """Return the sizes of a pool, with what was left out; they are not checked yet."""
    if min_size is None:
        smaller = isinstance(max_size, int) and 0 < max_size < Settings.min_size
        min_size = max_size if smaller else Settings.min_size
    return min_size, min_size if max_size is None else max_size


def number(name: str, value: Any, *, above_zero: bool = False) -> float:
    """Return a time that is finite and not negative; TypeError, ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"expected {name} as a number of seconds, found {type(value).__name__}")
    least = "above 0" if above_zero else "of 0 or more"
    if not math.isfinite(value) or value < 0 or (above_zero and value == 0):
        raise ValueError(f"expected {name} {least} and finite, found {value}")
    return float(value)


def optional(name: str, value: Any, *, above_zero: bool = False) -> float | None:
    """Return a time as `number`, or None, also for infinity: no limit."""
    if value is None or value == math.inf:
        return None
    return number(name, value, above_zero=above_zero)
