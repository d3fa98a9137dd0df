"""`AsyncConnection`: a connection that the event loop drives."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from kecoa import extensions
from kecoa._driver.opening import opened_soon
from kecoa._kecoa import (
    AsyncLink,
    ConnectionInfo,
    Diagnostics,
    Notify,
    ProgrammingError,
    Xid,
    _listening,
    _refuse_misread,
    typecaster,
)
from kecoa.aio._begin import begin_statement, isolation_level
from kecoa.aio._cleanup import queue_cleanup
from kecoa.aio._connecting import open_link
from kecoa.aio._cursor import AsyncCursor, _Row
from kecoa.aio._messages import Messages
from kecoa.aio._pipeline import AsyncPipeline, PipelinedTurns
from kecoa.aio._server_cursor import AsyncServerCursor
from kecoa.aio._transaction import AsyncTransaction
from kecoa.aio._two_phase import TwoPhase
from kecoa.errors import InFailedSqlTransaction
from kecoa.observe import Observed
from kecoa.rows import RowFactory

if TYPE_CHECKING:
    from typing_extensions import Self

_Rows = TypeVar("_Rows")

_IDLE = 0


class AsyncConnection(PipelinedTurns, Generic[_Row]):
    """A connection to CockroachDB or PostgreSQL, for one event loop: that in which it was made.

    Made by `connect`. Several tasks may use it: their statements are served one after the other, in the order
    in which they came. When a task is cancelled while its statement runs, the server is asked to cancel the
    statement, and the connection goes on with the next.

    As a context manager it commits at the end of the block, or rolls back when the block raised, and closes:

        async with await kecoa.aio.connect(dsn) as conn:
            await conn.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (100, 1))

    Statements are sent with their parameters apart from them, are prepared by the server when they are used
    again, and values come in binary form where that is quicker. The Python objects are those of
    `kecoa.connect`.
    """

    #: What `cursor()` makes, and with a name.
    cursor_factory: type[AsyncCursor[Any]] = AsyncCursor
    server_cursor_factory: type[AsyncServerCursor[Any]] = AsyncServerCursor

    def __init__(self, link: AsyncLink) -> None:
        super().__init__(link)
        self._messages = Messages()
        self._blocks: list[AsyncTransaction] = []
        self._two_phase = TwoPhase(self)
        self._autocommit = False
        self._isolation_level: int | None = None
        self._read_only: bool | None = None
        self._deferrable: bool | None = None
        self._pool: Any = None
        #: Makes rows of tuples; None leaves them as they are. See `kecoa.aio.dict_row`.
        self.row_factory: RowFactory[_Row] | None = None
        link.start(self)
        self._renew_begin()

    # ---- making and ending ------------------------------------------------------------------------

    @overload
    @classmethod
    async def connect(
        cls, dsn: str | None = None, *, row_factory: RowFactory[_Rows], **kwargs: Any
    ) -> AsyncConnection[_Rows]: ...
    @overload
    @classmethod
    async def connect(cls, dsn: str | None = None, *, row_factory: None = None, **kwargs: Any) -> Self: ...
    @classmethod
    async def connect(
        cls,
        dsn: str | None = None,
        *,
        autocommit: bool = False,
        row_factory: RowFactory[Any] | None = None,
        cursor_factory: type[AsyncCursor[Any]] | None = None,
        statement_timeout: float | None = None,
        **kwargs: Any,
    ) -> AsyncConnection[Any]:
        """Open a connection in the running event loop; to type checkers, `kecoa.aio.connect` says more.

        `dsn` and the keyword arguments are those of `kecoa.connect`. `statement_timeout` (seconds) is the
        server's limit for every statement: it ends them with SQLSTATE 57014. To limit the time to connect,
        use `connect_timeout` (seconds), or cancel: nothing is left behind.

        OperationalError when there is no connection to be had.
        """
        if dsn:
            _refuse_misread(dsn)
        if statement_timeout is not None:
            options = {**(extensions.parse_dsn(dsn) if dsn else {}), **kwargs}.get("options")
            setting = f"-c statement_timeout={round(statement_timeout * 1000)}"
            kwargs["options"] = f"{options} {setting}" if options else setting
        given = extensions.make_dsn(dsn, **kwargs)

        async def make() -> AsyncConnection[Any]:
            return cls(await open_link(given))

        made: AsyncConnection[Any] = await opened_soon(make)
        try:
            if not (made._inner.get_parameter_status("DateStyle") or "ISO").startswith("ISO"):
                await made._command("SET datestyle TO 'ISO'")
            made.row_factory = row_factory
            if cursor_factory is not None:
                made.cursor_factory = cursor_factory
            if autocommit:
                await made.set_autocommit(True)
        except BaseException:
            made._link.close()
            raise
        return made

    async def close(self) -> None:
        """Close; the server rolls an open transaction back. Closing again does nothing.

        Statements under way fail with OperationalError.
        """
        self._link.close()
        self._messages.end(None)

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        link: AsyncLink | None = getattr(self, "_link", None)
        # A forked child must not touch its parent's connection.
        if link is None or link.is_foreign or self._inner.closed:
            return
        _warn(f"connection {self!r} was not closed", ResourceWarning, source=self)
        loop = link.event_loop
        if loop.is_closed() or not loop.is_running() or asyncio._get_running_loop() is loop:
            link.close()
        else:
            loop.call_soon_threadsafe(link.close)

    async def __aenter__(self) -> AsyncConnection[_Row]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.closed:
            if error is None:
                self._refuse_lost()
            return
        try:
            if error is None:
                await self.commit()
            elif isinstance(error, GeneratorExit):
                # Thrown away: nothing can be waited for.
                queue_cleanup(self, "ROLLBACK")
            else:
                await self._roll_back_quietly()
        finally:
            # A pool's connection goes back to it.
            if self._pool is None:
                await self.close()

    def _refuse_lost(self) -> None:
        """OperationalError where a block ends on a connection that was lost, and something with it."""
        if self.broken and (self._link.cut_transaction or not self._autocommit):
            reason = self._messages.reason or "the connection was lost"
            raise self._link.lost(f"{reason}; what was not committed before is rolled back")

    async def _roll_back_quietly(self) -> None:
        try:
            await self.rollback()
        except Exception as error:
            warnings.warn(f"error ignored while rolling back {self!r}: {error}", RuntimeWarning, stacklevel=3)

    @property
    def closed(self) -> bool:
        """True if it was closed, here or by the server."""
        return bool(self._inner.closed)

    @property
    def broken(self) -> bool:
        """True if it was lost: closed, and not by `close`."""
        return self._inner.closed == 2

    @property
    def info(self) -> ConnectionInfo:
        """What is known about the connection: `backend_pid`, `transaction_status`, `server_version`, ..."""
        return self._inner.info

    @property
    def dsn(self) -> str:
        """The connection string in use, passwords as xxx."""
        return self._inner.dsn

    def fileno(self) -> int:
        """Return the socket's file descriptor."""
        return self._inner.fileno()

    def get_transaction_status(self) -> int:
        """Return one of `kecoa.extensions.TRANSACTION_STATUS_*`."""
        return self._inner.get_transaction_status()

    @property
    def _commits(self) -> int:
        return self._inner._commits

    def __repr__(self) -> str:
        state = "broken" if self.broken else "closed" if self.closed else "open"
        return f"<kecoa.aio.AsyncConnection [{state}] ({self.dsn}) at 0x{id(self):x}>"

    # ---- statements -------------------------------------------------------------------------------

    @overload
    def cursor(
        self,
        name: str = "",
        *,
        row_factory: None = None,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> AsyncCursor[_Row]: ...
    @overload
    def cursor(
        self,
        name: str = "",
        *,
        row_factory: RowFactory[_Rows],
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> AsyncCursor[_Rows]: ...
    def cursor(
        self,
        name: str = "",
        *,
        row_factory: RowFactory[Any] | None = None,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> AsyncCursor[Any]:
        """Return a cursor; with a name, one whose rows stay on the server until they are fetched.

        `scrollable` and `withhold` are for cursors with a name: whether they can go back, and whether they
        outlive their transaction. InterfaceError when the connection is closed.
        """
        made: AsyncCursor[Any]
        if name:
            made = self.server_cursor_factory(self, name, scrollable=scrollable, withhold=withhold)
        else:
            made = self.cursor_factory(self)
        if row_factory is not None:
            made.row_factory = row_factory
        return made

    async def execute(
        self,
        query: Any,
        vars: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> AsyncCursor[_Row]:
        """Run a statement on a new cursor, and return the cursor. See `AsyncCursor.execute`."""
        return await self.cursor_factory(self).execute(query, vars, timeout=timeout)

    async def commit(self, *, timeout: float | None = None) -> None:
        """Make the changes of the transaction permanent; without a transaction, do nothing.

        AmbiguousCommitError (an OperationalError) when the connection is lost on the way: the outcome is
        unknown, as it is after TimeoutError. `kecoa.errors.InFailedSqlTransaction` when the server rolled
        back instead, because a statement had failed.
        """
        self._refuse_in_block("commit()")
        if _listening():
            with Observed("commit", self):
                await self._end("COMMIT", timeout)
        else:
            await self._end("COMMIT", timeout)

    async def rollback(self, *, timeout: float | None = None) -> None:
        """Undo the changes of the transaction; without a transaction, do nothing."""
        self._refuse_in_block("rollback()")
        if _listening():
            with Observed("rollback", self):
                await self._end("ROLLBACK", timeout)
        else:
            await self._end("ROLLBACK", timeout)

    async def _end(self, sql: str, timeout: float | None = None, *, certainly: bool = False) -> None:
        """End the transaction. What is cut short has a ROLLBACK behind it: a ROLLBACK, or all `certainly`."""
        commit = sql == "COMMIT"
        try:
            if self._pipeline is not None:
                await self._pipeline._collect(quietly=not commit)
            await self._end_in_turn(sql, commit, timeout)
        except BaseException:
            if certainly or not commit:
                queue_cleanup(self, "ROLLBACK")
            raise

    async def _end_in_turn(self, sql: str, commit: bool, timeout: float | None) -> None:
        link = self._link
        await self._take_turn()
        try:
            if link.transaction == _IDLE:
                return
            before = self._commits
            future = link.command(sql, commit)
            if commit or timeout is not None:
                await self._wait(future, timeout, "COMMIT" if commit else "statement")
            else:
                await self._wait_to_the_end(future)
            if commit and self._commits == before:
                raise InFailedSqlTransaction(
                    "expected COMMIT, found that the server rolled back: a statement of the transaction had"
                    " failed, and nothing of it is committed"
                )
        finally:
            link.release()

    def _refuse_in_block(self, what: str) -> None:
        if self._blocks:
            raise ProgrammingError(
                f"{what} cannot be used inside `async with conn.transaction()`: the block does it at its end"
            )
        self._two_phase.refuse(what)

    def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncTransaction:
        """Return a context manager for a transaction: a savepoint, inside of another transaction.

        The block's end commits, an exception rolls back; `Rollback` rolls back without being seen outside.
        BEGIN travels with the block's first statement. Works in autocommit mode, too.
        """
        return AsyncTransaction(self, savepoint_name, force_rollback)

    def pipeline(self) -> AsyncPipeline:
        """Return a context manager in which statements are sent without waiting for those before them."""
        return AsyncPipeline(self)

    async def cancel(self) -> None:
        """Ask the server to cancel the statement under way, whosever it is; it fails with SQLSTATE 57014.

        The request travels on a connection of its own. OperationalError when that can't be made.
        """
        self._check_open()
        await asyncio.get_running_loop().run_in_executor(None, self._inner.cancel)

    # ---- settings of the transactions -------------------------------------------------------------

    @property
    def autocommit(self) -> bool:
        """True if statements commit by themselves."""
        return self._autocommit

    async def set_autocommit(self, value: bool) -> None:
        """Set `autocommit`. ProgrammingError inside a transaction."""
        await self._check_settable("autocommit")
        self._autocommit = bool(value)
        self._renew_begin()

    @property
    def isolation_level(self) -> int | None:
        """The level of transactions to come, one of `extensions.ISOLATION_LEVEL_*`; None: the server's."""
        return self._isolation_level

    async def set_isolation_level(self, value: int | str | None) -> None:
        """Set `isolation_level`, by number or name. ProgrammingError inside a transaction."""
        await self._check_settable("isolation_level")
        self._isolation_level = isolation_level(value)
        self._renew_begin()

    @property
    def read_only(self) -> bool | None:
        """True if the transactions to come are read-only; None: the server's default."""
        return self._read_only

    async def set_read_only(self, value: bool | None) -> None:
        """Set `read_only`. ProgrammingError inside a transaction."""
        await self._check_settable("read_only")
        self._read_only = value
        self._renew_begin()

    @property
    def deferrable(self) -> bool | None:
        """True if the transactions to come are deferrable; None: the server's default."""
        return self._deferrable

    async def set_deferrable(self, value: bool | None) -> None:
        """Set `deferrable`. ProgrammingError inside a transaction."""
        await self._check_settable("deferrable")
        self._deferrable = value
        self._renew_begin()

    def _set_session(self, settings: Mapping[str, Any]) -> None:
        """Set what the transactions to come are like, also before this one has come to its end."""
        for name, value in settings.items():
            setattr(self, f"_{name}", value)
        if not self.closed:
            self._renew_begin()

    async def _check_settable(self, name: str) -> None:
        self._check_open()
        await self._settle()
        if self._blocks or self._link.transaction != _IDLE or (self._pipeline and self._pipeline._pending):
            raise ProgrammingError(f"{name} cannot be set inside a transaction: commit or roll back first")

    def _check_open(self) -> None:
        self._link.check()

    def _renew_begin(self) -> None:
        """Set the statement by which transactions to come begin."""
        begins = self._blocks or not self._autocommit
        self._link.set_begin(self._begin_statement() if begins else None)

    def _begin_statement(self) -> str:
        return begin_statement(self._isolation_level, self._read_only, self._deferrable)

    # ---- what the server says by itself -----------------------------------------------------------

    def add_notice_handler(self, callback: Callable[[Diagnostics], None]) -> None:
        """Have `callback(diag)` called for each notice and warning of the server."""
        self._messages.notice_handlers.append(callback)

    def remove_notice_handler(self, callback: Callable[[Diagnostics], None]) -> None:
        """Stop calling `callback`. ValueError when it was not added."""
        self._messages.notice_handlers.remove(callback)

    def add_notify_handler(self, callback: Callable[[Notify], None]) -> None:
        """Have `callback(notify)` called for each notification, as soon as it comes."""
        self._messages.notify_handlers.append(callback)

    def remove_notify_handler(self, callback: Callable[[Notify], None]) -> None:
        """Stop calling `callback`. ValueError when it was not added."""
        self._messages.notify_handlers.remove(callback)

    def notifies(
        self, *, timeout: float | None = None, stop_after: int | None = None
    ) -> AsyncGenerator[Notify, None]:
        """Yield notifications as they come, those before the call included unless a handler had them.

        Ends after `timeout` seconds, or when `stop_after` were yielded; OperationalError when the connection
        is lost. Other statements may run meanwhile.
        """
        self._check_open()
        return self._messages.notifies(timeout, stop_after)

    def _on_messages(self, notices: list[Diagnostics], notifications: list[Notify]) -> None:
        self._messages.on_messages(self._link.event_loop, notices, notifications)

    def _on_lost(self, reason: str | None) -> None:
        self._messages.end(reason)

    # ---- types ------------------------------------------------------------------------------------

    def register_type(self, obj: typecaster) -> None:
        """Have values of this connection loaded by a typecaster of `kecoa.extensions.new_type`."""
        extensions.register_type(obj, self._inner)

    # ---- two-phase commit -------------------------------------------------------------------------

    def xid(self, format_id: int, gtrid: str, bqual: str) -> Xid:
        """Return an identifier for a two-phase transaction."""
        return self._inner.xid(format_id, gtrid, bqual)

    async def tpc_begin(self, xid: Xid | str) -> None:
        """Begin a two-phase transaction. ProgrammingError in autocommit mode or inside a transaction."""
        await self._two_phase.begin(xid)

    async def tpc_prepare(self) -> None:
        """Do the first phase: the server keeps the transaction whatever happens to the connection."""
        await self._two_phase.prepare()

    async def tpc_commit(self, xid: Xid | str | None = None) -> None:
        """Commit the two-phase transaction, or one that was prepared by its identifier."""
        await self._two_phase.end("COMMIT", xid)

    async def tpc_rollback(self, xid: Xid | str | None = None) -> None:
        """Roll back the two-phase transaction, or one that was prepared by its identifier."""
        await self._two_phase.end("ROLLBACK", xid)

    async def tpc_recover(self) -> list[Xid]:
        """Return the transactions that are prepared and not ended, of all databases."""
        return await self._two_phase.recover()
