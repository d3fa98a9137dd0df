"""`AsyncConnection.transaction`: transactions as blocks."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from kecoa import extensions
from kecoa._kecoa import ProgrammingError
from kecoa.aio._cleanup import queue_cleanup

if TYPE_CHECKING:
    from kecoa.aio._connection import AsyncConnection


class Rollback(Exception):
    """Raised inside `async with conn.transaction()`, it rolls back and is not seen outside.

    With a transaction as its argument, it leaves the blocks up to that one's.
    """

    def __init__(self, transaction: AsyncTransaction | None = None) -> None:
        super().__init__()
        self.transaction = transaction


class AsyncTransaction:
    """A transaction, or a savepoint in one, as a block. Made by `AsyncConnection.transaction`."""

    def __init__(
        self, connection: AsyncConnection[Any], savepoint_name: str | None, force_rollback: bool
    ) -> None:
        self._conn = connection
        self._name = savepoint_name or ""
        #: True if the block's work is always rolled back.
        self.force_rollback = force_rollback
        self._outer = False
        self._entered = False

    @property
    def connection(self) -> AsyncConnection[Any]:
        """The connection."""
        return self._conn

    @property
    def savepoint_name(self) -> str | None:
        """The savepoint's name; None when the block is a transaction."""
        return self._name or None

    async def __aenter__(self) -> AsyncTransaction:
        conn = self._conn
        if self._entered:
            raise ProgrammingError("a transaction block is entered once: make another one")
        conn._two_phase.refuse("transaction()")
        conn._check_open()
        self._entered = True
        await conn._settle()
        self._outer = not conn._blocks and conn._link.transaction == extensions.TRANSACTION_STATUS_IDLE
        conn._blocks.append(self)
        if self._outer:
            # BEGIN travels with the first statement.
            conn._renew_begin()
        if not self._outer or self._name:
            self._name = self._name or f"_kecoa_{len(conn._blocks)}"
            try:
                await conn.execute(f"SAVEPOINT {self._quoted()}")
            except BaseException:
                conn._blocks.remove(self)
                if not conn.closed:
                    conn._renew_begin()
                if self._outer:
                    # BEGIN may have been sent.
                    queue_cleanup(conn, "ROLLBACK")
                raise
        return self

    def _quoted(self) -> str:
        return extensions.quote_ident(self._name, self._conn._inner)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        conn = self._conn
        if not conn._blocks or conn._blocks[-1] is not self:
            self._refuse_disorder()
        try:
            if conn.closed:
                if error is None:
                    self._refuse_closed()
            elif isinstance(error, GeneratorExit):
                # Thrown away: nothing can be waited for.
                queue_cleanup(conn, "ROLLBACK" if self._outer else self._undo())
            elif self._outer:
                commit = error is None and not self.force_rollback
                await conn._end("COMMIT" if commit else "ROLLBACK", certainly=True)
            else:
                await self._end_savepoint(error is None and not self.force_rollback)
        except Exception:
            # The block's own error says more than what its rollback met.
            if error is None:
                raise
        finally:
            if self in conn._blocks:
                conn._blocks.remove(self)
            if not conn.closed:
                conn._renew_begin()
        return isinstance(error, Rollback) and error.transaction in (None, self)

    def _undo(self) -> str:
        name = self._quoted()
        return f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}"

    async def _end_savepoint(self, keep: bool) -> None:
        conn = self._conn
        release = f"RELEASE SAVEPOINT {self._quoted()}"
        if conn._pipeline is not None:
            if not keep:
                await conn.execute(f"ROLLBACK TO SAVEPOINT {self._quoted()}")
            await conn.execute(release)
            return
        sql = release if keep else self._undo()
        sent = False
        try:
            await conn._take_turn()
            try:
                future = conn._link.command(sql)
                # From here on it is done, whoever waits for it.
                sent = True
                await conn._wait_to_the_end(future)
            finally:
                conn._link.release()
        except BaseException:
            if not sent:
                queue_cleanup(conn, self._undo())
            raise

    def _refuse_closed(self) -> None:
        conn = self._conn
        if conn.broken:
            reason = conn._messages.reason or "the connection was lost"
            raise conn._link.lost(f"{reason}; the transaction is rolled back")
        raise ProgrammingError("the connection was closed inside a transaction block")

    def _refuse_disorder(self) -> None:
        conn = self._conn
        if self in conn._blocks:
            # Whose work is whose is not known any more, and the rest must not look committed.
            conn._blocks.clear()
            conn._link.close(
                "the connection was closed, because its transaction blocks were not left in the reverse order"
                " of entering them; what was not committed before is rolled back"
            )
        elif conn.closed:
            self._refuse_closed()
        raise ProgrammingError(
            "transaction blocks must be left in the reverse order of entering them: the connection is closed"
        )

    def __repr__(self) -> str:
        what = f"savepoint {self._name!r}" if self._name else "transaction"
        return f"<kecoa.aio.AsyncTransaction {what} of {self._conn!r}>"
