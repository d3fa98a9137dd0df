"""`kecoa.aio` in the shape of a blocking driver, as SQLAlchemy's asyncio part wants it.

SQLAlchemy runs its blocking code in a greenlet; `await_` there lets the event loop run until a coroutine is
done. The connection here has those attributes of psycopg2's that SQLAlchemy's psycopg2 dialect uses, so that
one dialect serves both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

from sqlalchemy.connectors.asyncio import (
    AsyncAdapt_dbapi_connection,
    AsyncAdapt_dbapi_cursor,
    AsyncAdapt_dbapi_module,
    AsyncAdapt_dbapi_ss_cursor,
)
from sqlalchemy.util import EMPTY_DICT, concurrency

import kecoa
from kecoa import aio, extensions
from kecoa.extensions import Diagnostics
from kecoa.sqlalchemy._module import dbapi_module

__all__ = ["Connection", "Cursor", "Module", "ServerSideCursor"]

# SQLAlchemy 2.1 gave it a new name.
await_: Callable[[Awaitable[Any]], Any] = getattr(concurrency, "await_", None) or concurrency.await_only

# SQLAlchemy 2.0's cursors have it as an attribute.
_WAITS_BY_ITSELF = "await_" in AsyncAdapt_dbapi_cursor.__slots__
_KEPT_NOTICES = 50


class Cursor(AsyncAdapt_dbapi_cursor):
    """A cursor whose rows are here once a statement was executed."""

    __slots__ = ()

    # Nothing of it is on the server, so there is nothing to wait for.
    _awaitable_cursor_close = False

    _adapt_connection: Connection
    _cursor: Any

    def __init__(self, adapt_connection: Connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor = self._make_new_cursor(self._connection)
        self._soft_closed_memoized = EMPTY_DICT
        self._rows = deque()
        if _WAITS_BY_ITSELF:
            setattr(self, "await_", await_)  # noqa: B010  (the type checker knows SQLAlchemy 2.1)

    @property
    def connection(self) -> Connection:
        """The connection, as PEP 249 has it among its extensions."""
        return self._adapt_connection

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        # A connection of kecoa.aio serves one task after the other by itself: no lock is needed.
        cursor = self._cursor
        await cursor.execute(operation, parameters)
        if cursor.description is not None:
            self._rows = deque(await cursor.fetchall())
        return cursor

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        await self._cursor.executemany(operation, seq_of_parameters)

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()


class ServerSideCursor(AsyncAdapt_dbapi_ss_cursor):
    """A named cursor."""

    __slots__ = ("_name",)

    _adapt_connection: Connection

    def __init__(self, adapt_connection: Connection, name: str) -> None:
        self._name = name
        super().__init__(adapt_connection)

    def _make_new_cursor(self, connection: Any) -> Any:
        return connection.cursor(self._name)

    @property
    def connection(self) -> Connection:
        """The connection, as PEP 249 has it among its extensions."""
        return self._adapt_connection

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        return await self._cursor.execute(operation, parameters)


class Connection(AsyncAdapt_dbapi_connection):
    """A connection of `kecoa.aio` with what SQLAlchemy's psycopg2 dialect uses of psycopg2's."""

    __slots__ = ("notices",)

    _connection: Any

    def __init__(self, dbapi: Module, connection: aio.AsyncConnection) -> None:
        super().__init__(dbapi, connection)  # type: ignore[arg-type]
        #: The server's last messages that are no errors; SQLAlchemy logs them and empties the list.
        self.notices: list[str] = []
        connection.add_notice_handler(self._note)

    def _note(self, notice: Diagnostics) -> None:
        self.notices.append(f"{notice.severity}:  {notice.message_primary}")
        del self.notices[:-_KEPT_NOTICES]

    @property
    def scope(self) -> Any:
        """What typecasters are registered on."""
        return self._connection._inner

    def cursor(self, name: str | None = None) -> Any:  # type: ignore[override]
        """Return a cursor, a named one on the server."""
        return ServerSideCursor(self, name) if name else Cursor(self)

    def rollback(self) -> None:
        """Undo the transaction, if there is one."""
        if self.status != extensions.STATUS_READY:
            await_(self._connection.rollback())

    def commit(self) -> None:
        """End the transaction, if there is one."""
        if self.status != extensions.STATUS_READY:
            await_(self._connection.commit())

    def close(self) -> None:
        """Close; nothing is waited for."""
        # So it may be called where no event loop runs, as by the garbage collector.
        with suppress(StopIteration):
            self._connection.close().send(None)

    terminate = close

    @property
    def closed(self) -> bool:
        """True if it was closed, here or by the server."""
        closed: bool = self._connection.closed
        return closed

    @property
    def status(self) -> int:
        """One of `extensions.STATUS_*`: whether there is a transaction."""
        if self._connection.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE:
            return extensions.STATUS_READY
        return extensions.STATUS_BEGIN

    @property
    def server_version(self) -> int:
        """The version as a number, 180006 for 18.6."""
        number: int = self._connection.info.server_version
        return number

    @property
    def autocommit(self) -> bool:
        """True if statements commit by themselves."""
        value: bool = self._connection.autocommit
        return value

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        await_(self._connection.set_autocommit(value))

    @property
    def readonly(self) -> bool | None:
        """True if the transactions to come are read-only."""
        value: bool | None = self._connection.read_only
        return value

    @readonly.setter
    def readonly(self, value: bool | None) -> None:
        await_(self._connection.set_read_only(value))

    @property
    def deferrable(self) -> bool | None:
        """True if the transactions to come are deferrable."""
        value: bool | None = self._connection.deferrable
        return value

    @deferrable.setter
    def deferrable(self, value: bool | None) -> None:
        await_(self._connection.set_deferrable(value))

    def set_isolation_level(self, level: int) -> None:
        """Set the level of the transactions to come, or autocommit, by psycopg2's number.

        A transaction is rolled back before, as psycopg2 does.
        """
        self.rollback()
        automatic = level == extensions.ISOLATION_LEVEL_AUTOCOMMIT
        await_(self._connection.set_autocommit(automatic))
        await_(self._connection.set_isolation_level(None if automatic else level))

    def xid(self, format_id: int, gtrid: str, bqual: str) -> Any:
        """Return an identifier for a two-phase transaction."""
        return self._connection.xid(format_id, gtrid, bqual)

    def tpc_begin(self, xid: Any) -> None:
        """Begin a two-phase transaction."""
        await_(self._connection.tpc_begin(xid))

    def tpc_prepare(self) -> None:
        """Do the first phase."""
        await_(self._connection.tpc_prepare())

    def tpc_commit(self, xid: Any = None) -> None:
        """Commit the two-phase transaction, or a prepared one."""
        await_(self._connection.tpc_commit(xid))

    def tpc_rollback(self, xid: Any = None) -> None:
        """Roll back the two-phase transaction, or a prepared one."""
        await_(self._connection.tpc_rollback(xid))

    def tpc_recover(self) -> list[Any]:
        """Return the transactions that are prepared and not ended."""
        found: list[Any] = await_(self._connection.tpc_recover())
        return found


class Module(AsyncAdapt_dbapi_module):
    """The module of PEP 249 that the dialects use in kecoa's place."""

    def __init__(self) -> None:
        self.driver = kecoa
        self.dbapi_module = None
        for name, value in vars(kecoa).items():
            if name != "connect" and (not name.startswith("__") or name == "__version__"):
                setattr(self, name, value)

    @property
    def exceptions_module(self) -> ModuleType:
        """The module that the exceptions are of."""
        return dbapi_module()

    def connect(self, *args: Any, **kwargs: Any) -> Connection:
        """Open a connection; called in a greenlet."""
        kwargs.pop("async_fallback", None)
        connect = kwargs.pop("async_creator_fn", aio.connect)
        return Connection(self, await_(connect(*args, **kwargs)))
