"""Pipelines: statements that do not wait for those before them."""

from __future__ import annotations

import asyncio
from types import TracebackType

from kecoa._kecoa import ProgrammingError
from kecoa.aio._turns import Turns


class PipelinedTurns(Turns):
    """The turns of a connection that may have a pipeline."""

    _pipeline: AsyncPipeline | None = None

    def _refuse_in_pipeline(self, what: str) -> None:
        if self._pipeline is not None:
            raise ProgrammingError(f"{what} cannot be used in a pipeline")


class AsyncPipeline:
    """A block in which `execute` returns before the server has answered. Made by `AsyncConnection.pipeline`.

    Statements are sent together, and the network's delay is paid once. Answers are there after `sync`, after
    a fetch (which waits for all), and at the end of the block; the first error among them is raised there. In
    a transaction the statements behind an error fail, too, with SQLSTATE 25P02; in autocommit mode each
    stands for itself. Pipelines can be nested; the outermost one counts.
    """

    def __init__(self, connection: PipelinedTurns) -> None:
        self._conn = connection
        self._pending: list[asyncio.Future[None]] = []
        self._nested: AsyncPipeline | None = None

    def _add(self, future: asyncio.Future[None]) -> None:
        self._pending.append(future)

    async def __aenter__(self) -> AsyncPipeline:
        conn = self._conn
        if conn._pipeline is not None:
            self._nested = conn._pipeline
            return self
        await conn._take_turn()
        try:
            await conn._begin()
            conn._pipeline = self
            conn._link.set_pipelining(True)
        finally:
            conn._link.release()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._nested is not None:
            if error is None:
                await self._nested.sync()
            return
        try:
            if isinstance(error, GeneratorExit):
                # Thrown away: nothing can be waited for.
                self._forsake(self._pending)
            else:
                await self._collect(quietly=error is not None)
        finally:
            self._conn._pipeline = None
            self._conn._link.set_pipelining(False)

    async def sync(self) -> None:
        """Wait for the answers to what was sent; raise the first error among them."""
        if self._nested is not None:
            await self._nested.sync()
            return
        if self._conn._pipeline is not self:
            raise ProgrammingError("the pipeline is over")
        await self._collect(quietly=False)

    async def _collect(self, quietly: bool) -> None:
        pending, self._pending = self._pending, []
        self._conn._link.flush()
        first: BaseException | None = None
        for number, future in enumerate(pending):
            if not future.done():
                try:
                    await asyncio.wait([future])
                except BaseException:
                    self._forsake(pending[number:])
                    raise
            error = None if future.cancelled() else future.exception()
            first = first or error
        if first is not None and not quietly:
            raise first

    def _forsake(self, pending: list[asyncio.Future[None]]) -> None:
        """Nobody waits for these any more: the one under way is cancelled; they go on to their end."""
        self._pending = []
        link = self._conn._link
        for left in pending:
            left.add_done_callback(_forget)
        if not self._conn._inner.closed:
            link.flush()
            link.abandon(None, self._conn._grace)


def _forget(future: asyncio.Future[None]) -> None:
    """Take note of the outcome, so that nobody misses it."""
    if not future.cancelled():
        future.exception()
