"""`AsyncServerCursor`: a cursor whose rows stay on the server until they are fetched."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kecoa import extensions
from kecoa._kecoa import ArrowResult, ProgrammingError
from kecoa.aio._copy import AsyncCopy
from kecoa.aio._cursor import AsyncCursor, _Row

if TYPE_CHECKING:
    from typing_extensions import Self

    from kecoa.aio._connection import AsyncConnection


class AsyncServerCursor(AsyncCursor[_Row]):
    """A named cursor: DECLARE, FETCH, MOVE and CLOSE on the server. Made by `AsyncConnection.cursor(name)`.

    It lives in its transaction, unless it was made with `withhold=True`. Iterating over it fetches `itersize`
    rows at a time. `description` and `rowcount` are those of the last fetch.
    """

    #: How many rows iterating fetches at a time.
    itersize: int = 2000

    def __init__(
        self,
        connection: AsyncConnection[Any],
        name: str,
        *,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> None:
        super().__init__(connection)
        self._name = name
        self._quoted = extensions.quote_ident(name, connection._inner)
        self._scrollable = scrollable
        self._withhold = withhold
        self._declared = False

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def scrollable(self) -> bool | None:
        """True if it can go back; None lets the server decide."""
        return self._scrollable

    @property
    def withhold(self) -> bool:
        """True if it outlives its transaction."""
        return self._withhold

    async def execute(
        self,
        query: Any,
        vars: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Self:
        """Declare the cursor for a query; executing again closes it first. See `AsyncCursor.execute`.

        ProgrammingError in autocommit mode outside `transaction()`, unless it was made with `withhold=True`.
        """
        conn = self._conn
        if conn.autocommit and not conn._blocks and not self._withhold:
            raise ProgrammingError(
                "a named cursor needs a transaction: turn autocommit off, use it inside conn.transaction(),"
                " or make it with withhold=True"
            )
        if self._declared:
            await self._close_on_server()
        scroll = {None: "", True: "SCROLL ", False: "NO SCROLL "}[self._scrollable]
        hold = "WITH" if self._withhold else "WITHOUT"
        declare = f"DECLARE {self._quoted} {scroll}CURSOR {hold} HOLD FOR ".encode()
        # Merged here: a cursor is declared once, and not every server takes parameters in DECLARE.
        await super().execute(declare + self._inner.mogrify(query, vars), timeout=timeout)
        self._declared = True
        return self

    async def executemany(
        self,
        query: Any,
        vars_list: Iterable[Sequence[Any] | Mapping[str, Any]],
        *,
        timeout: float | None = None,
        atomic: bool = False,
    ) -> None:
        """Refuse: ProgrammingError."""
        raise ProgrammingError("can't call .executemany() on named cursors")

    async def execute_arrow(
        self,
        query: Any,
        vars: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> ArrowResult:
        """Refuse: ProgrammingError."""
        raise ProgrammingError("can't call .execute_arrow() on named cursors")

    def stream(
        self, query: Any, vars: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> AsyncGenerator[_Row, None]:
        """Refuse: ProgrammingError."""
        raise ProgrammingError("can't call .stream() on named cursors: iterate over them")

    def copy(self, statement: Any, vars: Sequence[Any] | Mapping[str, Any] | None = None) -> AsyncCopy:
        """Refuse: ProgrammingError."""
        raise ProgrammingError("can't call .copy() on named cursors")

    async def _fetch(self, how: str) -> list[_Row]:
        # Another program may have declared it: what the server does not know it says.
        await super().execute(f"FETCH {how} FROM {self._quoted}")
        if self._pending is not None:
            await self._settle()
        return self._make_all(self._inner.fetchall())

    async def fetchone(self) -> _Row | None:
        """Fetch the next row from the server; None behind the last."""
        rows = await self._fetch("FORWARD 1")
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[_Row]:
        """Fetch the next `size` rows from the server, `arraysize` by default."""
        return await self._fetch(f"FORWARD {int(self.arraysize if size is None else size)}")

    async def fetchall(self) -> list[_Row]:
        """Fetch all rows that are left."""
        return await self._fetch("FORWARD ALL")

    async def scroll(self, value: int, mode: str = "relative") -> None:
        """Move on the server by `value` rows, or to row `value` with mode "absolute" (from 1)."""
        if mode not in ("relative", "absolute"):
            raise ValueError(f"expected mode 'relative' or 'absolute', found {mode!r}")
        how = "ABSOLUTE" if mode == "absolute" else "RELATIVE"
        await super().execute(f"MOVE {how} {int(value)} FROM {self._quoted}")
        if self._pending is not None:
            await self._settle()

    async def __aiter__(self) -> AsyncIterator[_Row]:
        while rows := await self.fetchmany(self.itersize):
            for row in rows:
                yield row

    async def close(self) -> None:
        """Close the cursor, on the server too."""
        if self._declared and not self._inner.closed:
            await self._close_on_server()
        await super().close()

    async def _close_on_server(self) -> None:
        self._declared = False
        # With its transaction the cursor is gone, and in a failed one nothing can be run.
        status = self._link.transaction
        gone = status == extensions.TRANSACTION_STATUS_INERROR or (
            not self._withhold and (status == extensions.TRANSACTION_STATUS_IDLE or not await self._exists())
        )
        if not gone:
            await super().execute(f"CLOSE {self._quoted}")

    async def _exists(self) -> bool:
        await super().execute("SELECT 1 FROM pg_catalog.pg_cursors WHERE name = %s", (self._name,))
        return self.rowcount > 0
