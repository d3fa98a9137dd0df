"""Two-phase commit (PEP 249's extension)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kecoa import extensions
from kecoa._kecoa import ProgrammingError, Xid
from kecoa.errors import InFailedSqlTransaction

if TYPE_CHECKING:
    from kecoa.aio._connection import AsyncConnection


class TwoPhase:
    """The two-phase transaction of a connection."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        # The connection owns this; its methods run only while it lives.
        self._conn = connection
        self._xid: Xid | None = None
        self._prepared = False

    def refuse(self, what: str) -> None:
        """ProgrammingError inside a two-phase transaction."""
        if self._xid is not None:
            raise ProgrammingError(f"{what} cannot be used during a two-phase transaction")

    def forget(self) -> None:
        """Leave the transaction: what is prepared is the server's, the rest is rolled back by its session."""
        self._xid = None
        self._prepared = False

    async def begin(self, xid: Xid | str) -> None:
        """See `AsyncConnection.tpc_begin`."""
        conn = self._conn
        xid = _identifier(xid)
        await conn._settle()
        if conn.get_transaction_status() != extensions.TRANSACTION_STATUS_IDLE or conn._blocks:
            raise ProgrammingError("tpc_begin must be called outside a transaction")
        self.refuse("tpc_begin()")
        if conn.autocommit:
            raise ProgrammingError("tpc_begin can't be called in autocommit mode")
        await conn._take_turn()
        try:
            await conn._begin()
        finally:
            conn._link.release()
        self._xid = xid

    async def prepare(self) -> None:
        """See `AsyncConnection.tpc_prepare`."""
        if self._xid is None or self._prepared:
            raise ProgrammingError("prepare must be called inside a two-phase transaction")
        if self._conn._link.transaction == extensions.TRANSACTION_STATUS_INERROR:
            raise InFailedSqlTransaction(
                "expected a transaction that can be prepared, found that a statement of it had failed"
            )
        await self._command("PREPARE TRANSACTION", self._xid)
        self._prepared = True

    async def end(self, how: str, xid: Xid | str | None) -> None:
        """See `AsyncConnection.tpc_commit` and `tpc_rollback`."""
        conn = self._conn
        if xid is not None:
            await conn._settle()
            if self._xid is not None or conn._link.transaction != extensions.TRANSACTION_STATUS_IDLE:
                raise ProgrammingError(
                    "tpc_commit/tpc_rollback with a xid must be called outside a transaction"
                )
            await self._command(f"{how} PREPARED", _identifier(xid))
            return
        if self._xid is None:
            raise ProgrammingError(
                "tpc_commit/tpc_rollback with no parameter must be called in a two-phase transaction"
            )
        if self._prepared:
            await self._command(f"{how} PREPARED", self._xid)
        else:
            await conn._end(how)
        self._xid = None
        self._prepared = False

    async def recover(self) -> list[Xid]:
        """See `AsyncConnection.tpc_recover`."""
        conn = self._conn
        was_idle = conn._link.transaction == extensions.TRANSACTION_STATUS_IDLE
        # Without the connection's row factory: its rows may be anything.
        cursor = conn.cursor()
        cursor.row_factory = None
        await cursor.execute("SELECT gid, prepared, owner, database FROM pg_prepared_xacts")
        rows: list[Any] = await cursor.fetchall()
        if was_idle and conn._link.transaction != extensions.TRANSACTION_STATUS_IDLE:
            await conn._end("ROLLBACK")
        return [Xid.recovered(*row) for row in rows]

    async def _command(self, command: str, xid: Xid) -> None:
        conn = self._conn
        cursor = conn.cursor()
        sql = cursor.mogrify(f"{command} %s", (str(xid),)).decode()
        await conn._take_turn()
        try:
            await conn._wait(conn._link.command(sql, command == "COMMIT PREPARED"))
        finally:
            conn._link.release()


def _identifier(xid: Xid | str) -> Xid:
    return xid if isinstance(xid, Xid) else Xid.from_string(xid)
