"""`AsyncCursor`: statements and their results."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn

from kecoa import extensions
from kecoa._kecoa import (
    ArrowResult,
    AsyncRows,
    Column,
    NotSupportedError,
    OperationalError,
    _listening,
    cursor as Inner,  # noqa: N812
)
from kecoa.aio._cleanup import queue_cleanup
from kecoa.aio._copy import AsyncCopy
from kecoa.aio._streaming import ROWS, Streaming
from kecoa.observe import Observed
from kecoa.rows import RowFactory, RowMaker, tuple_row

if TYPE_CHECKING:
    from typing_extensions import Self, TypeVar

    from kecoa.aio._connection import AsyncConnection

    _Row = TypeVar("_Row", default=tuple[Any, ...])
else:
    # A default is for type checkers.
    from typing import TypeVar

    _Row = TypeVar("_Row")

#: How many statements of `executemany` are under way at a time.
_MANY = 1000


class AsyncCursor(Generic[_Row]):
    """Runs statements and fetches their rows. Made by `AsyncConnection.cursor`.

    `%s` and `%(name)s` in a statement stand for its arguments, `%%` for a percent sign where there are any.
    """

    def __init__(
        self, connection: AsyncConnection[Any], *, row_factory: RowFactory[_Row] | None = None
    ) -> None:
        connection._check_open()
        self._conn = connection
        self._link = connection._link
        self._inner = Inner(connection._inner)
        #: Makes rows of tuples; None leaves them as they are.
        self.row_factory: RowFactory[_Row] | None = row_factory or connection.row_factory
        self._maker: RowMaker[_Row] | None = None
        # In a pipeline: the statement whose answer has not been waited for.
        self._pending: asyncio.Future[None] | None = None

    @property
    def connection(self) -> AsyncConnection[Any]:
        """The connection that made the cursor."""
        return self._conn

    # ---- statements -------------------------------------------------------------------------------

    async def execute(
        self,
        query: Any,
        vars: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Self:
        """Run a statement, and return the cursor.

        `query` is a str, bytes, or an object of `kecoa.sql`. Outside autocommit mode the first statement
        begins a transaction; BEGIN travels with it. After `timeout` seconds the statement is cancelled, and
        TimeoutError raised (`asyncio.TimeoutError` before Python 3.11). In a pipeline, the result is there
        after the pipeline's next `sync`, or the first fetch.
        """
        self._maker = None
        if _listening():
            return await self._execute_observed(query, vars, timeout)
        future = self._link.execute(self._inner, query, vars)
        if future is None:
            return await self._execute_in_turn(query, vars, timeout)
        if self._conn._pipeline is not None:
            self._join(future)
            return self
        await self._conn._wait(future, timeout)
        return self

    async def _execute_observed(self, query: Any, vars: Any, timeout: float | None) -> Self:
        with Observed("execute", self, query):
            return await self._execute_in_turn(query, vars, timeout)

    def _join(self, future: asyncio.Future[None]) -> None:
        """Leave the answer to the pipeline."""
        self._pending = future
        if self._conn._pipeline is not None:
            self._conn._pipeline._add(future)

    async def _execute_in_turn(self, query: Any, vars: Any, timeout: float | None) -> Self:
        conn, link = self._conn, self._link
        await conn._take_turn()
        try:
            future = link.execute(self._inner, query, vars, True)
            if future is None:
                # BEGIN can't travel with it.
                await conn._begin()
                future = link.execute(self._inner, query, vars, True)
            if future is None:
                raise OperationalError("expected a transaction after BEGIN, found none")
            if conn._pipeline is not None:
                self._join(future)
            else:
                await conn._wait(future, timeout)
        finally:
            link.release()
        return self

    async def execute_arrow(
        self,
        query: Any,
        vars: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> ArrowResult:
        """Run one statement, and return its rows as Arrow's record batches, made while the rows come.

        For pyarrow, polars and whatever else takes an object with `__arrow_c_stream__`. The cursor then has
        none of the rows to fetch. ProgrammingError when the statement has none; not in a pipeline.
        """
        self._conn._refuse_in_pipeline("execute_arrow()")
        self._maker = None
        if _listening():
            with Observed("execute_arrow", self, query):
                return await self._execute_arrow(query, vars, timeout)
        return await self._execute_arrow(query, vars, timeout)

    async def _execute_arrow(self, query: Any, vars: Any, timeout: float | None) -> ArrowResult:
        conn, link = self._conn, self._link
        await conn._take_turn()
        try:
            future = link.execute_arrow(self._inner, query, vars)
            if future is None:
                # BEGIN can't travel with it.
                await conn._begin()
                future = link.execute_arrow(self._inner, query, vars)
            if future is None:
                raise OperationalError("expected a transaction after BEGIN, found none")
            await conn._wait(future, timeout)
        finally:
            link.release()
        return self._inner.fetch_arrow()

    async def executemany(
        self,
        query: Any,
        vars_list: Iterable[Sequence[Any] | Mapping[str, Any]],
        *,
        timeout: float | None = None,
        atomic: bool = False,
    ) -> None:
        """Run a statement once for each of `vars_list`, without waiting for an answer before the last.

        `rowcount` is the sum afterwards, and there are no rows to fetch. Raises the first error. In
        autocommit mode what is sent together, up to 1,000 statements, is one transaction; with `atomic`
        all of them are.
        """
        run = self._execute_atomically if atomic else self._execute_many
        if _listening():
            with Observed("executemany", self, query):
                await run(query, vars_list, timeout)
        else:
            await run(query, vars_list, timeout)

    async def _execute_atomically(self, query: Any, vars_list: Iterable[Any], timeout: float | None) -> None:
        if self._conn._pipeline is not None:
            # What is under way may begin a transaction.
            await self._conn._pipeline.sync()
        try:
            await self._many_or_none(query, vars_list, timeout)
        except Exception:
            # The rollback that is queued.
            with suppress(Exception):
                await self._conn._settle()
            raise

    async def _many_or_none(self, query: Any, vars_list: Iterable[Any], timeout: float | None) -> None:
        conn, link = self._conn, self._link
        await conn._take_turn()
        try:
            if not conn.autocommit or conn._blocks or link.transaction != extensions.TRANSACTION_STATUS_IDLE:
                await self._many_in_turn(query, vars_list, timeout)
                return
            # The turn is kept from BEGIN to COMMIT: nobody else's statement comes between.
            try:
                await conn._wait(link.command(conn._begin_statement()))
                await self._many_in_turn(query, vars_list, timeout)
                await conn._wait(link.command("COMMIT", True), what="COMMIT")
            except BaseException:
                queue_cleanup(conn, "ROLLBACK")
                raise
        finally:
            link.release()

    async def _execute_many(self, query: Any, vars_list: Iterable[Any], timeout: float | None) -> None:
        conn = self._conn
        if conn._pipeline is not None:
            await conn._pipeline.sync()
        await conn._take_turn()
        try:
            await self._many_in_turn(query, vars_list, timeout)
        finally:
            self._link.release()

    async def _many_in_turn(self, query: Any, vars_list: Iterable[Any], timeout: float | None) -> None:
        self._maker = None
        conn = self._conn
        vars = iter(vars_list)
        first = True
        while (many := list(itertools.islice(vars, _MANY))) or first:
            if many:
                await conn._begin()
            await conn._wait(self._link.executemany(self._inner, query, many, first), timeout)
            first = False

    def stream(
        self, query: Any, vars: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> AsyncGenerator[_Row, None]:
        """Run a statement, and yield its rows as they come: the result is never in memory as a whole.

        The connection is busy until the last row: other tasks wait. When the loop is left before, or its task
        uses the connection otherwise, the statement is cancelled, and its effects are undone; the transaction
        it ran in goes on. Close the generator (`contextlib.aclosing`) to have that done at once.
        """
        return self._stream(query, vars)

    async def _stream(self, query: Any, vars: Any) -> AsyncGenerator[_Row, None]:
        self._conn._refuse_in_pipeline("stream()")
        self._maker = None
        streaming = Streaming(self._conn, self._inner, guarded=True, gives_way=True)
        await streaming.begin(query, vars)
        try:
            while code := await streaming.pull():
                if code == ROWS:
                    self._maker = None
                    for row in self._make_all(self._inner.fetchall()):
                        yield row
            await streaming.finish()
        finally:
            streaming.leave()

    def copy(self, statement: Any, vars: Sequence[Any] | Mapping[str, Any] | None = None) -> AsyncCopy:
        """Return a context manager for a COPY … FROM STDIN or COPY … TO STDOUT statement."""
        self._conn._refuse_in_pipeline("copy()")
        return AsyncCopy(self._conn, self._inner, statement, vars)

    def mogrify(self, query: Any, vars: Sequence[Any] | Mapping[str, Any] | None = None) -> bytes:
        """Return the statement with its arguments merged in, as `kecoa.connect` would send it."""
        return self._inner.mogrify(query, vars)

    # ---- rows -------------------------------------------------------------------------------------

    async def fetchone(self) -> _Row | None:
        """Return the next row, None behind the last. ProgrammingError when the statement has no rows."""
        if self._pending is not None:
            await self._settle()
        row = self._inner.fetchone()
        if row is None or self.row_factory is None:
            return row  # type: ignore[return-value]  # without a factory, _Row is the tuple
        return self._row_maker()(row)

    async def fetchmany(self, size: int | None = None) -> list[_Row]:
        """Return the next `size` rows, `arraysize` by default. ProgrammingError as `fetchone`."""
        if self._pending is not None:
            await self._settle()
        return self._make_all(self._inner.fetchmany(size))

    async def fetchall(self) -> list[_Row]:
        """Return all rows that are left. ProgrammingError as `fetchone`."""
        if self._pending is not None:
            await self._settle()
        rows: list[Any] = self._inner.fetchall()
        return rows if self.row_factory is None else self._make_all(rows)

    async def scroll(self, value: int, mode: str = "relative") -> None:
        """Move in the result: by `value` rows, or to row `value` with mode "absolute".

        ProgrammingError when that is outside of the result.
        """
        if self._pending is not None:
            await self._settle()
        self._inner.scroll(value, mode)

    def __aiter__(self) -> AsyncIterator[_Row]:
        # One at a time: the next one is `fetchone`'s once the loop is left, and an execute in it is seen.
        return AsyncRows(self, self._inner)

    async def _settled_row(self) -> _Row:
        # The next row of the loop, behind a statement of a pipeline.
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row

    def _row_maker(self) -> RowMaker[_Row]:
        if self._maker is None:
            factory: RowFactory[Any] = self.row_factory or tuple_row
            self._maker = factory(self)
        return self._maker

    def _make_all(self, rows: list[Any]) -> list[_Row]:
        if self.row_factory is None or not rows:
            return rows
        maker = self._row_maker()
        return [maker(row) for row in rows]

    async def _settle(self) -> None:
        """Wait for the statement of a pipeline."""
        pending, self._pending = self._pending, None
        pipeline = self._conn._pipeline
        if pending is None:
            return
        if pipeline is not None and not pending.done():
            await pipeline.sync()
        # Its own error, when it has one.
        pending.result()

    # ---- what is known of the last statement ------------------------------------------------------

    @property
    def description(self) -> tuple[Column, ...] | None:
        """The columns of the result; None when it has no rows."""
        return self._inner.description

    @property
    def rowcount(self) -> int:
        """The number of rows that the last statement returned or touched; -1 when not known."""
        return self._inner.rowcount

    @property
    def rownumber(self) -> int:
        """The number of the next row, from 0."""
        return self._inner.rownumber

    @property
    def statusmessage(self) -> str | None:
        """What the server says the statement did, such as `INSERT 0 1`."""
        return self._inner.statusmessage

    @property
    def query(self) -> bytes | None:
        """The last statement."""
        return self._inner.query

    @property
    def lastrowid(self) -> int:
        """0: rows have no oids."""
        return self._inner.lastrowid

    @property
    def arraysize(self) -> int:
        """The number of rows that `fetchmany` fetches."""
        return self._inner.arraysize

    @arraysize.setter
    def arraysize(self, value: int) -> None:
        self._inner.arraysize = value

    @property
    def name(self) -> str | None:
        """None: the rows are in memory."""
        return None

    def setinputsizes(self, sizes: Any) -> None:
        """Do nothing (PEP 249)."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing (PEP 249)."""

    async def nextset(self) -> None:
        """NotSupportedError: of several results only the last is kept."""
        raise NotSupportedError("not supported by PostgreSQL")

    @property
    def closed(self) -> bool:
        """True if the cursor or its connection is closed."""
        return self._inner.closed

    async def close(self) -> None:
        """Close; the rows are given back."""
        self._inner.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, GeneratorExit):
            # Thrown away: nothing can be waited for. A cursor on the server ends with its transaction.
            self._inner.close()
        else:
            await self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"expected something else to copy or pickle, found {self!r}: make another cursor")

    def __repr__(self) -> str:
        state = "closed" if self.closed else self.statusmessage or "no statement yet"
        return f"<kecoa.aio.{type(self).__name__} [{state}] at 0x{id(self):x}>"
