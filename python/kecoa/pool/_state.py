"""What a connection of a pool is like when a caller gets it, and how it becomes so again.

That is what `configure` has left: the settings of the connection's object, and how many statements had
changed its session. To find out what a caller changed of these costs no round trip.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from kecoa.rows import RowConnection

#: What is set back; autocommit first, others can't be set within BEGIN.
_NAMES = (
    "autocommit",
    "isolation_level",
    "readonly",
    "deferrable",
    "binding",
    "statement_timeout",
    "cursor_factory",
)
_values = attrgetter(*_NAMES)
_row_values = attrgetter(*_NAMES, "row_factory")


class State:
    """What a blocking connection is like."""

    __slots__ = ("_changes", "_get", "_notices", "_notifies", "_types", "_values")

    def __init__(self, conn: Any) -> None:
        self._get = _row_values if isinstance(conn, RowConnection) else _values
        self._values = self._get(conn)
        self._types = dict(conn.string_types)
        self._notices = conn.notices
        self._notifies = conn.notifies
        self._changes = conn._session_changes

    def holds(self, conn: Any) -> bool:
        """Return True if nothing is to be restored."""
        return (
            self.has_session(conn)
            and self._get(conn) == self._values
            and conn.notices is self._notices
            and not self._notices
            and conn.notifies is self._notifies
            and conn.string_types == self._types
        )

    def has_session(self, conn: Any) -> bool:
        """Return True if no statement has changed the session since, as far as the server tells."""
        return bool(conn._session_changes == self._changes)

    def restore(self, conn: Any) -> None:
        """Set the connection's object back, outside a transaction."""
        for name, value in zip((*_NAMES, "row_factory"), self._values, strict=False):
            if getattr(conn, name) != value:
                setattr(conn, name, value)
        if conn.string_types != self._types:
            conn.string_types.clear()
            conn.string_types.update(self._types)
        conn.notices, conn.notifies = self._notices, self._notifies
        _empty(self._notices)
        if not self.has_session(conn):
            # Those of channels that the last caller listened to.
            _empty(self._notifies)
        self._changes = conn._session_changes


def _empty(messages: Any) -> None:
    """Empty a list of messages, which may be an object of the program's."""
    if messages and hasattr(messages, "clear"):
        messages.clear()
