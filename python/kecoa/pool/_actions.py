"""What the rules of a pool have the pool around them do."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, get_args

#: Why a connection was closed.
Reason: TypeAlias = Literal[
    "broken", "check", "close", "drain", "idle", "leak", "lifetime", "lost", "reset", "resize"
]
#: What became of an attempt to connect. "busy": the server is there and does not serve now (57P03, 53300);
#: "unreachable": no answer, or the end of the connection; "final": it will not get better by itself.
Failure: TypeAlias = Literal["busy", "unreachable", "final"]

REASONS: tuple[Reason, ...] = get_args(Reason)


class Open(NamedTuple):
    """Connect; then call `opened` or `open_failed`."""

    conn: int


class Check(NamedTuple):
    """Look at a connection before it is handed out, then call `checked`. `ask`: by a round trip."""

    conn: int
    waiter: int
    ask: bool


class Grant(NamedTuple):
    """The connection is the waiter's, until `release`."""

    waiter: int
    conn: int


class Expire(NamedTuple):
    """The waiter's time is up."""

    waiter: int


class Fail(NamedTuple):
    """The waiter gets the error for which the connection `conn` could not be opened."""

    waiter: int
    conn: int


class Refuse(NamedTuple):
    """The waiter is turned away: the pool is closed, or the line is full."""

    waiter: int
    why: Literal["closed", "full"]


class Close(NamedTuple):
    """Close the connection: the pool has forgotten it."""

    conn: int
    reason: Reason


class Look(NamedTuple):
    """See whether an idle connection has ended, and if so call `lost`."""

    conn: int


class Leak(NamedTuple):
    """Warn: the connection has been in use for longer than `leak_after`."""

    conn: int
    held: float


Action: TypeAlias = Open | Check | Grant | Expire | Fail | Refuse | Close | Look | Leak
