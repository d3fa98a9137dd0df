"""`connect`, the way to an `AsyncConnection`."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from kecoa.aio._connection import AsyncConnection
from kecoa.aio._cursor import AsyncCursor
from kecoa.rows import RowFactory

_Rows = TypeVar("_Rows")


@overload
async def connect(
    dsn: str | None = None,
    *,
    autocommit: bool = False,
    row_factory: None = None,
    cursor_factory: type[AsyncCursor[Any]] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> AsyncConnection: ...
@overload
async def connect(
    dsn: str | None = None,
    *,
    autocommit: bool = False,
    row_factory: RowFactory[_Rows],
    cursor_factory: type[AsyncCursor[Any]] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> AsyncConnection[_Rows]: ...
async def connect(
    dsn: str | None = None,
    *,
    autocommit: bool = False,
    row_factory: RowFactory[Any] | None = None,
    cursor_factory: type[AsyncCursor[Any]] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> AsyncConnection[Any]:
    """Open a connection in the running event loop. See `AsyncConnection.connect`."""
    return await AsyncConnection.connect(
        dsn,
        autocommit=autocommit,
        row_factory=row_factory,
        cursor_factory=cursor_factory,
        statement_timeout=statement_timeout,
        **kwargs,
    )
