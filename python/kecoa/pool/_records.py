"""What a pool knows of its connections, of who waits for one, and of what has happened."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from kecoa.pool._actions import REASONS, Reason

OPENING, IDLE, CHECKING, CHECKED_OUT = range(4)


@dataclass(slots=True)
class Conn:
    """A connection, by its number."""

    id: int
    generation: int
    state: int = OPENING
    ends_at: float = math.inf
    # When its opening began, it came back, or was checked out.
    since: float = 0.0
    waiter: int = 0
    leak_reported: bool = False


@dataclass(slots=True)
class Waiter:
    """Somebody who waits for a connection."""

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
    checkouts: int = 0
    waits: int = 0
    wait_total: float = 0.0
    wait_max: float = 0.0
    timeouts: int = 0
    refused: int = 0
    leaks: int = 0
