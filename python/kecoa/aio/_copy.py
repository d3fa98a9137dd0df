"""COPY, a piece at a time."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from kecoa._driver.text import encode
from kecoa._kecoa import ProgrammingError, cursor as Inner  # noqa: N812
from kecoa.aio._copy_text import field_text
from kecoa.aio._streaming import COPY_IN, COPY_OUT, OVER, Streaming
from kecoa.aio._turns import Turns

_CHUNK = 128 * 1024
#: So many bytes of rows are sent at once.
_ROWS = 32 * 1024
#: COPY … TO, which may be left before its end; what is missed here fails its transaction then.
_IS_COPY_OUT = re.compile(rb"\bTO\s+STDOUT\b", re.IGNORECASE)


class AsyncCopy:
    """A COPY under way. Made by `AsyncCursor.copy`, used with `async with`.

    COPY … FROM STDIN: `write` data in the statement's format, or `write_row` values in text format; the end
    of the block ends the copy, an exception in it gives the copy up. COPY … TO STDOUT: iterate over blocks of
    data, or `read` one. Nothing is read before it is asked for.
    """

    def __init__(
        self,
        conn: Turns,
        inner: Inner,
        statement: Any,
        vars: Sequence[Any] | Mapping[str, Any] | None,
    ) -> None:
        self._inner = inner
        self._statement = statement
        self._vars = vars
        self._link = conn._link
        self._conn = conn
        self._direction = OVER
        self._streaming: Streaming | None = None
        self._left = False
        self._rows = bytearray()
        # A write was given up before all of its data was on its way: what follows would seem the rest of it.
        self._cut = False

    async def __aenter__(self) -> AsyncCopy:
        statement = self._inner.mogrify(self._statement, self._vars)
        guarded = _IS_COPY_OUT.search(statement) is not None
        streaming = Streaming(self._conn, self._inner, guarded=guarded, gives_way=False)
        await streaming.begin(self._statement, self._vars)
        self._streaming = streaming
        try:
            reply = await streaming.pull()
            if reply in (COPY_IN, COPY_OUT):
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
        if error is None and self._rows and self._direction == COPY_IN:
            try:
                await self._send_rows()
            except BaseException as raised:
                await self._leave(raised)
                raise
        if error is None and self._cut:
            cut = _cut_error()
            await self._leave(cut)
            raise cut
        await self._leave(error)

    async def _leave(self, error: BaseException | None) -> None:
        direction, self._direction = self._direction, OVER
        self._left = True
        if self._streaming is None or not self._streaming.held:
            return
        link = self._link
        try:
            if direction == COPY_OUT:
                # What was not read is not wanted: the server is asked to stop.
                if not isinstance(error, GeneratorExit):
                    await self._is_over()
            elif direction == COPY_IN:
                if link.copy_refused():
                    pass  # The server has said why, and takes no more.
                elif error is None:
                    link.copy_end()
                else:
                    link.copy_end(f"error from Python: {type(error).__name__} - {error}".replace("\0", " "))
                if isinstance(error, GeneratorExit):
                    # Thrown away: nothing can be waited for.
                    return
                try:
                    await self._finish()
                except BaseException as ended:
                    if error is None or not isinstance(ended, Exception):
                        raise
        finally:
            self._release()

    async def _is_over(self) -> None:
        """See whether a COPY TO is at its end, except for the end itself."""
        reply = self._link.stream_next()
        if reply is None or isinstance(reply, bytes):
            return
        if reply != OVER:
            await self._finish()
        elif self._streaming is not None:
            await self._streaming.finish()

    async def _finish(self) -> None:
        """Pull what is left; raises the server's error."""
        if self._streaming is not None:
            while await self._streaming.pull() != OVER:
                pass
            await self._streaming.finish()

    def _release(self) -> None:
        if self._streaming is not None:
            self._streaming.leave()

    # ---- COPY … FROM STDIN ------------------------------------------------------------------------

    async def write(self, data: bytes | bytearray | memoryview | str) -> None:
        """Send data in the statement's format; a str in the connection's encoding.

        Returns when the data is on its way. What the server has against the copy is raised here or at the end
        of the block.
        """
        if self._direction != COPY_IN or self._streaming is None:
            raise ProgrammingError("write() needs the block of a COPY … FROM STDIN statement")
        if isinstance(data, str):
            data = self._encode(data)
        elif not isinstance(data, bytes):
            data = bytes(data)
        await self._send_rows()
        await self._send(data)

    async def _send(self, data: bytes) -> None:
        streaming = self._streaming
        if self._direction != COPY_IN or streaming is None:
            return  # The server has refused the copy meanwhile, and the error was raised.
        if self._cut:
            raise _cut_error()
        link = self._link
        taken = 0
        try:
            # In pieces, so that what the server does not take yet does not pile up twice.
            for start in range(0, len(data), _CHUNK):
                piece = data if len(data) <= _CHUNK else data[start : start + _CHUNK]
                sent = link.copy_send(piece)
                taken = start + len(piece)
                while not sent:
                    if link.copy_refused():
                        self._direction = OVER
                        await self._finish()
                        return
                    await link.stream_ready()
                    sent = link.copy_send(b"")
                await streaming.be_fair()
        finally:
            self._cut = taken < len(data) and self._direction == COPY_IN

    async def write_row(self, row: Sequence[Any]) -> None:
        """Send one row as a line of text format; None is NULL.

        Numbers, text, bytes, dates and times, lists, ranges and dicts (as JSON) are written as PostgreSQL
        reads them; anything else as its class's `__str__` makes it. ProgrammingError where that is no text
        of the value: generators, sets, arrays and tables of numpy and pandas, SQL.
        """
        if self._direction != COPY_IN or self._streaming is None:
            raise ProgrammingError("write_row() needs the block of a COPY … FROM STDIN statement")
        self._rows += self._encode("\t".join([_field(value) for value in row]) + "\n")
        if len(self._rows) >= _ROWS:
            await self._send_rows()

    async def _send_rows(self) -> None:
        """Send the rows that wait for others."""
        rows, self._rows = self._rows, bytearray()
        if rows:
            await self._send(bytes(rows))

    def _encode(self, text: str) -> bytes:
        return encode(text, self._conn._inner.encoding)

    # ---- COPY … TO STDOUT -------------------------------------------------------------------------

    async def read(self) -> bytes:
        """Return the next block of data, usually a row; b"" at the end."""
        streaming = self._streaming
        if self._direction != COPY_OUT or streaming is None:
            if self._direction == OVER and streaming is not None and not self._left:
                return b""
            raise ProgrammingError("read() needs the block of a COPY … TO STDOUT statement")
        try:
            reply = await streaming.pull()
            if isinstance(reply, bytes):
                return reply
        except BaseException:
            self._direction = OVER
            streaming.leave()
            raise
        self._direction = OVER
        if reply != OVER:
            await self._finish()
        else:
            await streaming.finish()
        return b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data


def _cut_error() -> ProgrammingError:
    return ProgrammingError(
        "a write was given up in the middle of its data, and what follows would seem the rest of it:"
        " nothing of the copy is kept"
    )


def _field(value: Any) -> str:
    """Return a value with COPY's escapes."""
    text = field_text(value)
    if text is None:
        return "\\N"
    for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        if plain in text:
            text = text.replace(plain, escaped)
    return text
