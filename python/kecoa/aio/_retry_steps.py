"""A transaction on a connection of asyncio, and who executes the steps of its attempts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from kecoa._kecoa import OperationalError, ProgrammingError
from kecoa.aio._cleanup import queue_cleanup
from kecoa.aio._connection import AsyncConnection
from kecoa.aio._source import AsyncSource
from kecoa.retry._body import INSIDE_ALREADY, CommitCount
from kecoa.retry._failure import Facts
from kecoa.retry._loop import AttemptFailure, AttemptReport, Outcome, RetryLoop, Steps
from kecoa.retry._transaction import NOT_TRIED_AGAIN, Options, is_worth_another_connection, misuse_of

_IDLE = 0


class AsyncTransaction:
    """Executes the steps of a `RetryLoop`; each is awaited."""

    def __init__(self, source: Any, options: Options, outer: BaseException | None) -> None:
        self.conn: Any = None
        self._options = options
        self._outer = outer
        self._source = AsyncSource(source)
        self._checked_out: Any = None
        self._commits = CommitCount(None)
        self._restore: Callable[[], Any] | None = None

    @property
    def can_reconnect(self) -> bool:
        return self._source.can_reconnect

    def is_worth_another_connection(self, error: Exception) -> bool:
        return is_worth_another_connection(error, self._outer)

    async def sleep(self, seconds: float) -> None:
        await self._options.runtime.sleep(seconds)

    async def check_out(self, fresh: bool) -> None:
        conn = await self._source.get(fresh)
        while getattr(conn, "broken", False) and self._source.can_reconnect:
            # Lost while nobody used it: the event loop has noticed.
            conn = await self._source.get(True)
        self._checked_out = conn

    async def begin(self) -> None:
        conn, self._checked_out = self._checked_out, None
        if getattr(conn, "broken", False):
            raise OperationalError("the connection was lost: it takes a new one to run a transaction")
        if conn.get_transaction_status() != _IDLE:
            raise ProgrammingError(INSIDE_ALREADY.format("connection"))
        if conn is not self.conn:
            self.conn = conn
            self._restore = await _set_session(conn, self._options)
        self._commits = CommitCount(conn)

    async def check(self) -> Exception | None:
        lost, committed = self._is_lost(), self._commits.has_grown()
        if lost and not committed and not self._body_knows():
            # The event loop saw it end before COMMIT, which will say so.
            return None
        return misuse_of(self.conn, committed=committed, lost=lost)

    async def commit(self) -> None:
        await self.conn.commit()

    async def roll_back(self, error: BaseException, facts: Facts, committing: bool) -> AttemptFailure:
        committed_by_itself = self._commits.has_grown() and not committing
        try:
            await self.conn.rollback()
            broken = self._is_lost()
        except Exception:
            broken = not self._is_closed_by_body()
        lost = facts.lost or broken
        return AttemptFailure(
            Facts(
                facts.sqlstate,
                lost,
                facts.commit_sent or (committing and lost and not facts.certain),
            ),
            broken,
            NOT_TRIED_AGAIN if committed_by_itself else None,
        )

    async def report(self, report: AttemptReport) -> None:
        if self._options.on_attempt is not None:
            self._options.on_attempt(report)

    async def close(self, broken: bool) -> None:
        restore, self._restore = self._restore, None
        self.conn = None
        if restore is not None and not broken:
            with suppress(Exception):
                await restore()
        await self._source.done(broken)

    def throw_away(self) -> None:
        """End it where nothing can be waited for."""
        restore, self._restore = self._restore, None
        conn, self.conn = self.conn, None
        if isinstance(conn, AsyncConnection):
            queue_cleanup(conn, "ROLLBACK")
            if restore is not None:
                # It waits for nothing.
                with suppress(Exception):
                    restore().send(None)
        self._source.discard()

    def _body_knows(self) -> bool:
        """Return True if the body got the error of a lost connection, and did not raise it."""
        link = getattr(self.conn, "_link", None)
        return link is not None and link.loss_reported

    def _is_lost(self) -> bool:
        return bool(self.conn.closed) and not self._is_closed_by_body()

    def _is_closed_by_body(self) -> bool:
        return bool(self.conn.closed) and not getattr(self.conn, "broken", True)


class AsyncRun:
    """Executes the steps of a `RetryLoop`, as `kecoa.retry._run.Run` does; they are awaited."""

    def __init__(self, loop: RetryLoop, transaction: AsyncTransaction) -> None:
        self.loop = loop
        self.transaction = transaction
        self._steps = Steps(loop)

    async def begin(self) -> None:
        """Begin the first attempt, or the next one: wait as decided, check a connection out, begin on it."""
        await self._advance(None)

    async def end(self, error: BaseException | None, comes_back: Callable[[], bool] | None = None) -> bool:
        """End the attempt, whose body raised `error` or nothing; return True if it is committed."""
        if isinstance(error, GeneratorExit):
            self.transaction.throw_away()
            raise error
        return await self._advance(Outcome(comes_back, error))

    async def _advance(self, outcome: Outcome | None) -> bool:
        """Execute steps up to the next one that is for the caller; return True if there is none."""
        while (step := self._steps.next(outcome)) is not None:
            try:
                outcome = Outcome(await getattr(self.transaction, step.action)(*step.arguments))
            except GeneratorExit:
                self.transaction.throw_away()
                raise
            except BaseException as error:
                outcome = Outcome(error=error)
        return self._steps.are_over


async def _set_session(conn: Any, options: Options) -> Callable[[], Awaitable[None]] | None:
    """Set what this transaction asks of its connection; return what sets it back, None when nothing was."""
    wanted: dict[str, Any] = {}
    for option, name in (("isolation_level",) * 2, ("readonly", "read_only"), ("deferrable",) * 2):
        if getattr(options, option) is not None:
            wanted[name] = getattr(options, option)
    if conn.autocommit:
        wanted["autocommit"] = False
    if not wanted:
        return None
    before = {name: getattr(conn, name) for name in wanted}
    for name, value in wanted.items():
        await getattr(conn, f"set_{name}")(value)

    async def restore() -> None:
        if isinstance(conn, AsyncConnection):
            # Also while a ROLLBACK is under way, which nobody waits for.
            conn._set_session(before)
            return
        for name, value in before.items():
            await getattr(conn, f"set_{name}")(value)

    return restore
