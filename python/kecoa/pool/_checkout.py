"""The block in which a thread uses a pool's connection."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from kecoa._kecoa import OperationalError
from kecoa.errors import InFailedSqlTransaction
from kecoa.extensions import TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_INTRANS, cursor
from kecoa.pool._core import Core

if TYPE_CHECKING:
    from kecoa._kecoa import connection

#: `connection.closed` of one that was lost.
_LOST = 2

_FAILED_INSIDE = (
    "the block ended although a statement of its transaction had failed, and nothing of it is committed: an"
    " error was caught inside and not raised again. Let it leave the block, or roll back where it is caught"
)


class _Pool(Protocol):
    name: str
    _core: Core

    def getconn(self, timeout: float | None = None) -> connection[cursor[Any]]: ...

    def putconn(self, conn: connection[Any]) -> None: ...


class Checkout:
    """A block that has a connection of a pool for itself."""

    __slots__ = ("_conn", "_core", "_pool", "_timeout")

    def __init__(self, pool: _Pool, timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout
        self._conn: Any = None

    def __enter__(self) -> connection[cursor[Any]]:
        if self._conn is not None:
            raise RuntimeError("the block was entered already: call connection() for each")
        self._conn = conn = self._pool.getconn(self._timeout)
        self._core = self._pool._core
        return conn

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        conn, self._conn = self._conn, None
        pool = self._pool
        try:
            # In a child that was forked within the block, it is the parent's, and so is its transaction.
            if pool._core is self._core:
                if kind is None:
                    if not conn.closed:
                        if conn.get_transaction_status() == TRANSACTION_STATUS_INERROR:
                            raise InFailedSqlTransaction(f"{pool.name}: {_FAILED_INSIDE}")
                        conn.commit()
                        if conn.autocommit and conn.get_transaction_status() == TRANSACTION_STATUS_INTRANS:
                            # Begun by the caller's BEGIN, which `commit()` leaves alone, as psycopg2's does.
                            conn.cursor(cursor_factory=cursor).execute("COMMIT")
                    elif conn.closed == _LOST and not conn.autocommit:
                        raise OperationalError(
                            f"{pool.name}: the connection was lost inside its block; what was not committed"
                            " before is rolled back"
                        )
                else:
                    # The block's error is what counts; what can't be rolled back is not entry.
                    with suppress(Exception):
                        conn.rollback()
        finally:
            pool.putconn(conn)
