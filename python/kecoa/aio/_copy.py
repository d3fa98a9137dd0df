"""COPY, a piece at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from kecoa._kecoa import ProgrammingError
from kecoa.aio._copy_text import field_text

if TYPE_CHECKING:
    from kecoa._kecoa import AsyncLink
    from kecoa.aio._cursor import AsyncCursor

# What `AsyncLink.pull` returns where it returns no data.
OVER, COPY_IN, COPY_OUT, ROWS, COMPLETE = range(5)

_CHUNK = 128 * 1024


#: After how many replies or pieces that needed no waiting others get a turn of the event loop.
_FAIR = 64


class Puller:
    """Pulls replies and sends data; lets other tasks run now and then where there is no need to wait."""

    def __init__(self, link: AsyncLink) -> None:
        self._link = link
        self._busy = 0

    async def pull(self) -> int | bytes:
        """Return the next reply of the request under way."""
        while (reply := self._link.pull()) is None:
            self._busy = 0
            await self._link.pull_ready()
        await self.be_fair()
        return reply

    async def be_fair(self) -> None:
        """Count what was done without waiting."""
        self._busy += 1
        if self._busy >= _FAIR:
            self._busy = 0
            await asyncio.sleep(0)


class AsyncCopy:
    """A COPY under way. Made by `AsyncCursor.copy`, used with `async with`.

    COPY … FROM STDIN: `write` data in the statement's format, or `write_row` values in text format; the end
    of the block ends the copy, an exception in it gives the copy up. COPY … TO STDOUT: iterate over blocks of
    data, or `read` one. Nothing is read before it is asked for.
    """

    def __init__(
        self, cursor: AsyncCursor, statement: Any, vars: Sequence[Any] | Mapping[str, Any] | None
    ) -> None:
        self._cursor = cursor
        self._statement = statement
        self._vars = vars
        self._link = cursor._link
        self._conn = cursor._conn
        self._direction = OVER
        self._held = False
        self._puller = Puller(self._link)

    async def __aenter__(self) -> AsyncCopy:
        conn, link, inner = self._conn, self._link, self._cursor._inner
        await conn._take_turn()
        self._held = True
        try:
            await conn._begin()
            link.pull_start(inner, inner.mogrify(self._statement, self._vars))
            try:
                reply = await self._puller.pull()
            except BaseException:
                link.pull_abandon(conn._grace)
                raise
            if reply in (COPY_IN, COPY_OUT):
                conn._holder = asyncio.current_task()
                self._direction = int(reply)
                return self
            await self._finish()
            raise ProgrammingError("expected COPY … FROM STDIN or COPY … TO STDOUT, found another statement")
        except BaseException:
            self._release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        direction, self._direction = self._direction, OVER
        if not self._held:
            return
        link = self._link
        try:
            if direction == COPY_OUT:
                # What was not read is not wanted: the server is told to stop.
                if not await self._is_over():
                    link.pull_abandon(self._conn._grace)
            elif direction == COPY_IN:
                if link.copy_refused():
                    pass  # The server has said why, and takes no more.
                elif error is None:
                    link.copy_end()
                else:
                    link.copy_end(f"error from Python: {type(error).__name__} - {error}".replace("\0", " "))
                try:
                    await self._finish()
                except BaseException as ended:
                    if error is None or not isinstance(ended, Exception):
                        raise
        finally:
            self._release()

    async def _is_over(self) -> bool:
        """Whether a COPY TO is at its end, except for the end itself."""
        reply = self._link.pull()
        if reply is None or isinstance(reply, bytes):
            return False
        if reply != OVER:
            await self._finish()
        return True

    async def _finish(self) -> None:
        """Pull what is left; raises the server's error."""
        try:
            while await self._puller.pull() != OVER:
                pass
        except BaseException:
            self._link.pull_abandon(self._conn._grace)
            raise

    def _release(self) -> None:
        if self._held:
            self._held = False
            self._conn._holder = None
            self._link.release()

    # ---- COPY … FROM STDIN ------------------------------------------------------------------------

    async def write(self, data: bytes | bytearray | memoryview | str) -> None:
        """Send data in the statement's format; a str in the connection's encoding.

        Returns when the data is on its way. What the server has against the copy is raised here or at the end
        of the block.
        """
        if self._direction != COPY_IN:
            raise ProgrammingError("write() needs the block of a COPY … FROM STDIN statement")
        if isinstance(data, str):
            data = self._encode(data)
        elif not isinstance(data, bytes):
            data = bytes(data)
        link = self._link
        # In pieces, so that what the server does not take yet does not pile up twice.
        for start in range(0, len(data), _CHUNK):
            piece = data if len(data) <= _CHUNK else data[start : start + _CHUNK]
            sent = link.copy_send(piece)
            while not sent:
                if link.copy_refused():
                    self._direction = OVER
                    await self._finish()
                    return
                await link.pull_ready()
                sent = link.copy_send(b"")
            await self._puller.be_fair()

    async def write_row(self, row: Sequence[Any]) -> None:
        """Send one row as a line of text format; None is NULL.

        Numbers, text, bytes, dates and times, lists, ranges and dicts (as JSON) are written as PostgreSQL
        reads them, anything else as `str` makes it.
        """
        await self.write(b"\t".join([self._field(value) for value in row]) + b"\n")

    def _field(self, value: Any) -> bytes:
        text = field_text(value)
        if text is None:
            return b"\\N"
        for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
            if plain in text:
                text = text.replace(plain, escaped)
        return self._encode(text)

    def _encode(self, text: str) -> bytes:
        from kecoa._text import encode

        return encode(text, self._conn._inner.encoding)

    # ---- COPY … TO STDOUT -------------------------------------------------------------------------

    async def read(self) -> bytes:
        """Return the next block of data, usually a row; b"" at the end."""
        if self._direction != COPY_OUT:
            if self._direction == OVER and self._held:
                return b""
            raise ProgrammingError("read() needs the block of a COPY … TO STDOUT statement")
        try:
            reply = await self._puller.pull()
            if isinstance(reply, bytes):
                return reply
        except BaseException:
            self._direction = OVER
            self._link.pull_abandon(self._conn._grace)
            raise
        self._direction = OVER
        if reply != OVER:
            await self._finish()
        return b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data
