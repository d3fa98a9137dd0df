"""Connections whose transaction never ends: what is committed in there is a savepoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import kecoa
from kecoa import extensions

if TYPE_CHECKING:
    from kecoa.aio import AsyncConnection

_NAME = "kecoa_test"
_BEGIN = f"SAVEPOINT {_NAME}"
# The savepoint that begins anew; both in one round trip.
_KEEP = f"RELEASE SAVEPOINT {_NAME}; {_BEGIN}"
_UNDO = f"ROLLBACK TO SAVEPOINT {_NAME}"


class RolledBackConnection(extensions.connection):
    """A connection in one transaction, which `undo` takes back.

    `commit` keeps what was done until `undo`, and `rollback` takes back what was done since the last
    `commit`: the program under test sees what it would see outside of tests.
    """

    def begin(self) -> None:
        """Begin the transaction."""
        self._run(_BEGIN)

    def undo(self) -> None:
        """Roll the transaction back."""
        super().rollback()

    def commit(self) -> None:
        """Keep what was done, until the test's end."""
        if self.get_transaction_status() == extensions.TRANSACTION_STATUS_INERROR:
            # As COMMIT of a transaction in which a statement has failed.
            self._run(_UNDO)
        else:
            self._run(_KEEP)

    def rollback(self) -> None:
        """Take back what was done since the last commit."""
        self._run(_UNDO)

    def _run(self, sql: str) -> None:
        # A plain cursor, whatever the test has made of the connection's own.
        with self.cursor(cursor_factory=extensions.cursor) as cur:
            cur.execute(sql)


class Shared:
    """The connection that tests use one after the other, as long as none of them has changed it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._conn: RolledBackConnection | None = None
        self._as_opened: tuple[object, ...] = ()

    def begin(self) -> RolledBackConnection:
        """Return the connection, in a transaction."""
        if self._conn is None:
            self._conn = kecoa.connect(self.url, connection_factory=RolledBackConnection)
            self._as_opened = _settings(self._conn)
        self._conn.begin()
        return self._conn

    def undo(self) -> None:
        """Take back what the test has done."""
        conn = self._conn
        if conn is None:
            return
        try:
            if not conn.closed:
                conn.undo()
        finally:
            if conn.closed or _settings(conn) != self._as_opened:
                self.close()

    def close(self) -> None:
        """Close the connection, which the next test opens again."""
        if self._conn is not None:
            self._conn.close()
        self._conn = None


def _settings(conn: RolledBackConnection) -> tuple[object, ...]:
    """Return what a test may change on a connection and a rollback does not change back."""
    del conn.notices[:], conn.notifies[:]
    return (
        *(conn.cursor_factory, conn.binding, conn.statement_timeout, conn.autocommit, conn.encoding),
        *(conn.isolation_level, conn.readonly, conn.deferrable),
        *(dict(conn.string_types), dict(conn.binary_types)),
    )


def asynchronous(url: str) -> Callable[..., AbstractAsyncContextManager[AsyncConnection[Any]]]:
    """Return a function that opens an AsyncConnection whose transaction is rolled back at the block's end."""
    from kecoa.aio import AsyncConnection

    class RolledBackAsyncConnection(AsyncConnection[Any]):
        async def commit(self, *, timeout: float | None = None) -> None:
            self._refuse_in_block("commit()")
            failed = self.get_transaction_status() == extensions.TRANSACTION_STATUS_INERROR
            for sql in [_UNDO] if failed else _KEEP.split("; "):
                await self.execute(sql, timeout=timeout)

        async def rollback(self, *, timeout: float | None = None) -> None:
            self._refuse_in_block("rollback()")
            await self.execute(_UNDO, timeout=timeout)

    @asynccontextmanager
    async def connect(**options: Any) -> AsyncIterator[AsyncConnection[Any]]:
        conn = await RolledBackAsyncConnection.connect(url, **options)
        try:
            await conn.execute(_BEGIN)
            yield conn
        finally:
            # The server rolls back.
            await conn.close()

    return connect
