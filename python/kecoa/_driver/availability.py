"""What a SQLSTATE says about whether a server, or a session, is still there."""

from __future__ import annotations

# too_many_connections
_FULL = "53300"


def ends_session(sqlstate: str | None) -> bool:
    """Return True if the server has ended the session, or is about to: class 08, and 57P01 to 57P05."""
    return sqlstate is not None and sqlstate.startswith(("08", "57P"))


def may_serve_later(sqlstate: str | None) -> bool:
    """Return True if a server that refused a connection so may accept one later."""
    return ends_session(sqlstate) or sqlstate == _FULL
