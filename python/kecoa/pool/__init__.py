"""Pools of connections: `Pool`, and beside it the classes of psycopg2.pool."""

from __future__ import annotations

from kecoa import extensions as _ext  # noqa: F401  # psycopg2.pool has it, too
from kecoa._names import publish
from kecoa.pool._checkout import Checkout as Checkout
from kecoa.pool._errors import PoolClosed, PoolFull, PoolTimeout
from kecoa.pool._pool import Pool
from kecoa.pool._psycopg2 import (
    AbstractConnectionPool,
    PoolError,
    SimpleConnectionPool,
    ThreadedConnectionPool,
)

__all__ = [
    "AbstractConnectionPool",
    "Pool",
    "PoolClosed",
    "PoolError",
    "PoolFull",
    "PoolTimeout",
    "SimpleConnectionPool",
    "ThreadedConnectionPool",
]

publish(globals(), "Checkout")


def __dir__() -> list[str]:
    return sorted(__all__)
