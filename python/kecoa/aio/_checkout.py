"""The block in which a task uses a pool's connection."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kecoa.aio._connection import AsyncConnection


class _Pool(Protocol):
    async def getconn(self, timeout: float | None = None) -> AsyncConnection[Any]: ...

    async def putconn(self, conn: AsyncConnection[Any]) -> None: ...

    def _discard(self, conn: AsyncConnection[Any]) -> None: ...


class AsyncCheckout:
    """A block that has a connection of a pool for itself."""

    __slots__ = ("_conn", "_pool", "_timeout")

    def __init__(self, pool: _Pool, timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout
        self._conn: AsyncConnection[Any] | None = None

    async def __aenter__(self) -> AsyncConnection[Any]:
        if self._conn is not None:
            raise RuntimeError("the block was entered already: call connection() for each")
        self._conn = conn = await self._pool.getconn(self._timeout)
        return conn

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        conn, self._conn = self._conn, None
        if conn is None:
            return
        if isinstance(error, GeneratorExit):
            # Thrown away: nothing can be waited for.
            self._pool._discard(conn)
            return
        try:
            await conn.__aexit__(kind, error, trace)
        finally:
            await self._pool.putconn(conn)
