"""Who uses a connection of asyncio: its tasks take turns, and wait for what they sent."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn, Protocol

from kecoa._kecoa import AsyncLink, ProgrammingError, connection as Inner  # noqa: N812

#: Seconds that the server has to end a cancelled statement before the connection is closed.
CANCEL_GRACE = 10.0


class Holder(Protocol):
    """A COPY or stream that has the connection for itself."""

    task: asyncio.Task[Any] | None
    gives_way: bool

    def leave(self) -> None:
        """Give the connection back; nobody waits for what is left."""


class Turns:
    """The turns of one connection."""

    def __init__(self, link: AsyncLink) -> None:
        self._link = link
        self._inner: Inner = link.connection
        self._grace = CANCEL_GRACE
        self._holder: Holder | None = None
        # Statements of blocks that were interrupted, which are yet to be run.
        self._cleanups = 0

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"expected something else to copy or pickle, found {self!r}: open another connection")

    async def _take_turn(self) -> None:
        """Get the connection for this task alone, until `release`. In the order of asking."""
        turn = self._link.turn()
        if turn is None:
            return
        holder = self._holder
        if holder is not None and holder.task is asyncio.current_task():
            if not holder.gives_way:
                turn.cancel()
                raise ProgrammingError(
                    "this task has a COPY under way on the connection, and would wait for itself: end that"
                    " first, or use another connection"
                )
            # Its loop was left, or has to go without.
            holder.leave()
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                # It was our turn just when we were cancelled.
                self._link.release()
            else:
                turn.cancel()
            raise

    async def _settle(self) -> None:
        """Wait until what interrupted blocks have left is done: the transaction's state is known then."""
        if self._cleanups:
            await self._take_turn()
            self._link.release()

    async def _wait(
        self, future: asyncio.Future[None], timeout: float | None = None, what: str = "statement"
    ) -> None:
        """Wait for a statement; when nobody waits any more, have it cancelled."""
        timer = None
        if timeout is not None:
            timer = self._link.event_loop.call_later(timeout, self._expire, future, timeout, what)
        try:
            await future
        except BaseException:
            # Nothing happens when it is over.
            self._link.abandon(future, self._grace)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    async def _wait_to_the_end(self, future: asyncio.Future[None]) -> None:
        """Wait for a statement that goes on when nobody waits any more."""
        try:
            await future
        except BaseException:
            self._link.let_go(future, self._grace)
            raise

    def _expire(self, future: asyncio.Future[None], timeout: float, what: str) -> None:
        if not future.done():
            text = f"the {what} was not over after {timeout} s, and was cancelled"
            if what == "COMMIT":
                text += ": whether the transaction was committed is not known"
            future.set_exception(asyncio.TimeoutError(text))

    async def _begin(self) -> None:
        """Open the transaction that is due. For whoever has the turn."""
        begin = self._link.begin_due
        if begin is not None:
            await self._wait(self._link.command(begin))

    async def _command(self, sql: str) -> None:
        """Run a statement of the connection's own, outside transactions."""
        await self._take_turn()
        try:
            await self._wait(self._link.command(sql))
        finally:
            self._link.release()
