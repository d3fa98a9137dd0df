"""kecoa with asyncio: connections that the event loop drives, without threads.

`connect` makes an `AsyncConnection`; `AsyncConnectionPool` keeps several; `run_transaction`, `transactional`
and `attempts` run transactions that are tried again when the database asks for it. The objects are shaped as
psycopg 3's are; statements, types and errors are those of `kecoa`. asyncio and uvloop.
"""

from __future__ import annotations

from kecoa._kecoa import RetryPolicy
from kecoa._names import publish
from kecoa.aio._checkout import AsyncCheckout as AsyncCheckout
from kecoa.aio._connect import connect
from kecoa.aio._connection import AsyncConnection
from kecoa.aio._copy import AsyncCopy
from kecoa.aio._cursor import AsyncCursor
from kecoa.aio._pipeline import AsyncPipeline
from kecoa.aio._pool import AsyncConnectionPool, PoolClosed, PoolTimeout
from kecoa.aio._retry import AsyncAttempt as AsyncAttempt, attempts, run_transaction, transactional
from kecoa.aio._server_cursor import AsyncServerCursor
from kecoa.aio._transaction import AsyncTransaction, Rollback
from kecoa.retry import AmbiguousCommitError, AttemptReport
from kecoa.rows import (
    RowFactory,
    RowMaker,
    args_row,
    class_row,
    dict_row,
    kwargs_row,
    namedtuple_row,
    scalar_row,
    tuple_row,
)

__all__ = [
    "AmbiguousCommitError",
    "AsyncConnection",
    "AsyncConnectionPool",
    "AsyncCopy",
    "AsyncCursor",
    "AsyncPipeline",
    "AsyncServerCursor",
    "AsyncTransaction",
    "AttemptReport",
    "PoolClosed",
    "PoolTimeout",
    "RetryPolicy",
    "Rollback",
    "RowFactory",
    "RowMaker",
    "args_row",
    "attempts",
    "class_row",
    "connect",
    "dict_row",
    "kwargs_row",
    "namedtuple_row",
    "run_transaction",
    "scalar_row",
    "transactional",
    "tuple_row",
]

publish(globals(), "AsyncAttempt", "AsyncCheckout")


def __dir__() -> list[str]:
    return sorted(__all__)
