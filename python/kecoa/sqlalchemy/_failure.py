"""Which errors mean that a connection is of no use any more."""

from __future__ import annotations

from typing import Any

from kecoa import Error

__all__ = ["is_lost"]

# The session is at its end, although the error may come before the socket is closed: CockroachDB drains a
# node in this way. PostgreSQL's appendix "Error codes".
_ENDED = frozenset(
    {
        "25P03",  # idle_in_transaction_session_timeout
        "25P04",  # transaction_timeout
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
        "57P04",  # database_dropped
        "57P05",  # idle_session_timeout
    }
)


def is_lost(error: BaseException, connection: Any) -> bool:
    """Return True if `connection` (None where there is none yet) is of no use after `error`."""
    if not isinstance(error, Error):
        return False
    if connection is not None and connection.closed:
        return True
    sqlstate = error.pgcode
    return sqlstate is not None and (sqlstate in _ENDED or sqlstate.startswith("08"))
