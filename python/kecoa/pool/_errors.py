"""What a pool raises."""

from __future__ import annotations

from kecoa import OperationalError


class PoolTimeout(OperationalError):
    """No connection came free in time."""


class PoolFull(PoolTimeout):
    """`max_waiting` callers wait already."""


class PoolClosed(OperationalError):
    """The pool is closed, or was not opened."""
