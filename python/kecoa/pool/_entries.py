"""What a pool holds besides the rules: its connections, and who waits for one."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from kecoa.pool._actions import Action, Fail
from kecoa.pool._call_sites import CallSite


class PoolEntry:
    """A connection of a pool, from its opening to its end."""

    __slots__ = ("conn", "number", "ref", "sites", "state")

    def __init__(
        self, number: int, conn: Any, state: Any, dropped: Callable[[weakref.ref[Any]], object]
    ) -> None:
        #: The core's.
        self.number = number
        #: None while it is checked out: only its user keeps it alive then.
        self.conn: Any = conn
        #: Tells, through `dropped`, when it was checked out and is no more.
        self.ref = weakref.ref(conn, dropped)
        #: What it is like after `configure`.
        self.state = state
        #: Where it was checked out.
        self.sites: tuple[CallSite, ...] = ()


class WaiterState:
    """Where a caller that waits for a connection finds what became of it."""

    __slots__ = ("action", "error")

    def __init__(self) -> None:
        self.action: Action | None = None
        self.error: BaseException | None = None

    def notify(self, action: Action, error: BaseException | None) -> None:
        """Take note of what became of it, and wake the caller if it sleeps."""
        self.action = action
        if isinstance(action, Fail):
            self.error = error
