"""Where a transaction's connection comes from: the caller, a pool, or a function that connects."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar, Union

from kecoa.aio._connection import AsyncConnection
from kecoa.aio._pool import AsyncConnectionPool
from kecoa.retry._source import OpenerLike, PoolLike

Conn = TypeVar("Conn", bound=AsyncConnection[Any])
# What a caller may pass for transactions on connections of the type `Conn`; mypy takes no `|` here.
SourceOf = Union[Conn, PoolLike[Awaitable[Conn]], OpenerLike[Awaitable[Conn]]]  # noqa: UP007


class AsyncSource:
    """Hands out one connection at a time: the caller's, a pool's, or one that is opened for it."""

    def __init__(self, given: Any) -> None:
        self._given = given
        self._conn: Any = None
        if hasattr(given, "cursor") and hasattr(given, "commit"):
            self._kind = "connection"
            _refuse_blocking(given, given.commit)
        elif hasattr(given, "getconn") and hasattr(given, "putconn"):
            self._kind = "pool"
            _refuse_blocking(given, given.getconn)
        elif callable(given):
            self._kind = "function"
        else:
            raise TypeError(
                "expected a connection of kecoa.aio, a pool with getconn() and putconn(), or a function that"
                f" connects, found {type(given).__name__}"
            )

    @property
    def can_reconnect(self) -> bool:
        return self._kind != "connection"

    async def get(self, fresh: bool) -> Any:
        if self._kind == "connection":
            return self._given
        if fresh:
            await self.done(broken=True)
        if self._conn is None:
            self._conn = await self._given.getconn() if self._kind == "pool" else await self._connected()
        return self._conn

    async def _connected(self) -> Any:
        made = self._given()
        if inspect.isawaitable(made):
            made = await made
        commit = getattr(made, "commit", None)
        if commit is None or not inspect.iscoroutinefunction(commit):
            if callable(getattr(made, "close", None)):
                made.close()
            raise TypeError(
                "expected a function that connects by kecoa.aio.connect, found one that returned"
                f" {type(made).__name__}"
            )
        return made

    def discard(self) -> None:
        """Let the connection go without waiting: a pool's is closed."""
        conn, self._conn = self._conn, None
        if isinstance(conn, AsyncConnection):
            if self._kind == "pool" and isinstance(self._given, AsyncConnectionPool):
                self._given._discard(conn)
            else:
                conn._link.close()

    async def done(self, broken: bool) -> None:
        conn, self._conn = self._conn, None
        if conn is None:
            return
        if broken or self._kind == "function":
            with suppress(Exception):
                await conn.close()
        if self._kind == "pool":
            await self._given.putconn(conn)


def _refuse_blocking(given: Any, method: Any) -> None:
    if not inspect.iscoroutinefunction(method):
        raise TypeError(
            "expected a connection or a pool of kecoa.aio, found"
            f" {type(given).__module__}.{type(given).__name__}, whose methods are not awaited: use"
            " kecoa.run_transaction for it"
        )
