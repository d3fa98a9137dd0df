"""Where a transaction's connection comes from: the caller, a pool, or a function that connects."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar, Union

_Connection_co = TypeVar("_Connection_co", covariant=True)


class ConnectionLike(Protocol):
    """What type checkers take for a connection: kecoa's, psycopg2's, and what wraps one."""

    def cursor(self) -> Any:
        """Return a cursor."""

    def commit(self) -> Any:
        """Commit the transaction."""


class PoolLike(Protocol[_Connection_co]):
    """What type checkers take for a pool."""

    def getconn(self) -> _Connection_co:
        """Hand out a connection."""

    def putconn(self, conn: Any, /) -> Any:
        """Take it back."""


class OpenerLike(Protocol[_Connection_co]):
    """What type checkers take for a function that connects. mypy infers more from it than from a Callable."""

    def __call__(self) -> _Connection_co:
        """Open a connection."""


Conn = TypeVar("Conn", bound=ConnectionLike)
# What a caller may pass for transactions on connections of the type `Conn`; mypy takes no `|` here.
SourceOf = Union[Conn, PoolLike[Conn], OpenerLike[Conn]]  # noqa: UP007


class Source(Protocol):
    """Hands out one connection at a time."""

    @property
    def can_reconnect(self) -> bool:
        """True if `get(fresh=True)` can give another connection for a lost one."""

    def get(self, fresh: bool) -> Any:
        """Return the connection; with `fresh`, another one in place of that which was lost."""

    def done(self, broken: bool) -> None:
        """Take the connection back; `broken` when it is of no further use."""


def open_source(given: Any) -> Source:
    """Return the source for what a caller may pass; TypeError for anything else."""
    if hasattr(given, "cursor") and hasattr(given, "commit"):
        _refuse_awaited(given, given.commit)
        return _Given(given)
    if hasattr(given, "getconn") and hasattr(given, "putconn"):
        _refuse_awaited(given, given.getconn)
        return _Pooled(given)
    if callable(given):
        return _Opened(given)
    raise TypeError(
        "expected a connection, a pool with getconn() and putconn(), or a function that connects,"
        f" found {type(given).__name__}"
    )


def _refuse_awaited(given: Any, method: Any) -> None:
    if inspect.iscoroutinefunction(method):
        raise TypeError(
            "expected a blocking connection or pool, found"
            f" {type(given).__module__}.{type(given).__name__}, whose methods are awaited: use"
            " kecoa.aio.run_transaction for it"
        )


class _Given:
    """The caller's connection, which stays the caller's."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    @property
    def can_reconnect(self) -> bool:
        return hasattr(self._conn, "reconnect")

    def get(self, fresh: bool) -> Any:
        if fresh:
            self._conn.reconnect()
        return self._conn

    def done(self, broken: bool) -> None:
        pass


class _Pooled:
    """A connection that is checked out of a pool."""

    can_reconnect = True

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._conn: Any = None

    def get(self, fresh: bool) -> Any:
        if fresh:
            self.done(broken=True)
        if self._conn is None:
            self._conn = self._pool.getconn()
        return self._conn

    def done(self, broken: bool) -> None:
        conn, self._conn = self._conn, None
        if conn is None:
            return
        if broken:
            # A pool discards a closed connection; not every pool has an argument for it.
            with suppress(Exception):
                conn.close()
        self._pool.putconn(conn)


class _Opened:
    """A connection that is opened for the run, and closed after it."""

    can_reconnect = True

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._conn: Any = None

    def get(self, fresh: bool) -> Any:
        if fresh:
            self.done(broken=True)
        if self._conn is None:
            made = self._connect()
            if inspect.isawaitable(made):
                if inspect.iscoroutine(made):
                    made.close()
                raise TypeError(
                    "expected a function that connects, found one whose result is awaited: use"
                    " kecoa.aio.run_transaction for it"
                )
            self._conn = made
        return self._conn

    def done(self, broken: bool) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            with suppress(Exception):
                conn.close()
