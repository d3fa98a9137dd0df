"""A request whose replies are taken one by one, on a connection it has for itself: streams and COPY."""

from __future__ import annotations

import asyncio
from typing import Any

from kecoa._kecoa import ProgrammingError, cursor as Inner  # noqa: N812
from kecoa.aio._cleanup import queue_cleanup
from kecoa.aio._turns import Turns

# What `AsyncLink.pull` returns where it returns no data.
OVER, COPY_IN, COPY_OUT, ROWS, COMPLETE = range(5)

#: The number of replies or pieces without waiting after which others get a turn of the event loop.
_FAIR = 64

_INTRANS = 2
#: The savepoint in front of a request that may be left before its end.
_GUARD = "_kecoa_stream"


class Streaming:
    """One request, from its turn to its end.

    With `guarded`, leaving it early leaves an open transaction as it was before: the server cancels the
    request by an error, which would fail the transaction, so it has a savepoint of its own.
    """

    def __init__(self, conn: Turns, inner: Inner, *, guarded: bool, gives_way: bool) -> None:
        self._conn = conn
        self._link = conn._link
        self._inner = inner
        self._guarded = guarded
        self._saved = False
        self._busy = 0
        #: True if it ends when its task uses the connection otherwise.
        self.gives_way = gives_way
        #: True while it has the connection for itself.
        self.held = False
        #: Who takes the replies.
        self.task: asyncio.Task[Any] | None = None

    async def begin(self, query: Any, vars: Any) -> None:
        """Take the connection, and send the request."""
        conn, link = self._conn, self._link
        await conn._take_turn()
        self.held = True
        try:
            await conn._begin()
            sql = self._inner.mogrify(query, vars)
            if self._guarded and link.transaction == _INTRANS:
                await conn._wait(link.command(f"SAVEPOINT {_GUARD}"))
                self._saved = True
            link.stream_start(self._inner, sql)
            self.task = asyncio.current_task()
            conn._holder = self
        except BaseException:
            self.leave()
            raise

    async def pull(self) -> int | bytes:
        """Return the next reply."""
        if not self.held:
            raise ProgrammingError(
                "the stream is over: its task used the connection for something else before the last row, and"
                " would wait for itself otherwise. Use another connection for that, or fetch the rows first"
            )
        self.task = asyncio.current_task()
        while (reply := self._link.stream_next()) is None:
            self._busy = 0
            await self._link.stream_ready()
        await self.be_fair()
        return reply

    async def be_fair(self) -> None:
        """Count what was done without waiting; let other tasks run now and then."""
        self._busy += 1
        if self._busy >= _FAIR:
            self._busy = 0
            await asyncio.sleep(0)

    async def finish(self) -> None:
        """Give the connection back behind the last reply."""
        try:
            if self._saved and self.held and self._link.transaction == _INTRANS:
                await self._conn._wait_to_the_end(self._link.command(f"RELEASE SAVEPOINT {_GUARD}"))
        finally:
            self.leave()

    def leave(self) -> None:
        """Give the connection back; what is left of the request is cancelled. Nobody waits for that."""
        if not self.held:
            return
        self.held = False
        conn, link = self._conn, self._link
        if conn._holder is self:
            conn._holder = None
        try:
            if conn._inner.closed:
                return
            if link.is_streaming:
                link.stream_abandon(conn._grace)
                if self._saved:
                    queue_cleanup(conn, f"ROLLBACK TO SAVEPOINT {_GUARD}; RELEASE SAVEPOINT {_GUARD}")
        finally:
            link.release()
