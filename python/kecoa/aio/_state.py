"""What a connection of a pool is like when a task gets it, and how it becomes so again."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from kecoa.aio._connection import AsyncConnection

#: Settings of transactions.
_TRANSACTIONS = ("autocommit", "isolation_level", "read_only", "deferrable")
_values = attrgetter(*_TRANSACTIONS, "row_factory", "cursor_factory", "server_cursor_factory")


class State:
    """What a connection of asyncio is like."""

    __slots__ = ("_changes", "_notice_handlers", "_notify_handlers", "_types", "_values")

    def __init__(self, conn: AsyncConnection[Any]) -> None:
        self._values = _values(conn)
        self._types = dict(conn._inner.string_types)
        self._notice_handlers = list(conn._messages.notice_handlers)
        self._notify_handlers = list(conn._messages.notify_handlers)
        self._changes = conn._inner._session_changes

    def holds(self, conn: AsyncConnection[Any]) -> bool:
        """Return True if nothing is to be restored."""
        messages = conn._messages
        return (
            self.has_session(conn)
            and _values(conn) == self._values
            and messages.notice_handlers == self._notice_handlers
            and messages.notify_handlers == self._notify_handlers
            and conn._inner.string_types == self._types
        )

    def has_session(self, conn: AsyncConnection[Any]) -> bool:
        """Return True if no statement has changed the session since, as far as the server tells."""
        return conn._inner._session_changes == self._changes

    def restore(self, conn: AsyncConnection[Any]) -> None:
        """Set the connection's object back, outside a transaction."""
        *transactions, conn.row_factory, conn.cursor_factory, conn.server_cursor_factory = self._values
        conn._set_session(dict(zip(_TRANSACTIONS, transactions, strict=True)))
        types = conn._inner.string_types
        if types != self._types:
            types.clear()
            types.update(self._types)
        messages = conn._messages
        messages.notice_handlers[:] = self._notice_handlers
        messages.notify_handlers[:] = self._notify_handlers
        if not self.has_session(conn):
            # Those of channels that the last task listened to.
            messages.forget()
        self._changes = conn._inner._session_changes
