"""What the server says without being asked: notices and notifications."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

from kecoa._kecoa import Diagnostics, Notify, OperationalError

#: Notifications that wait for `notifies()`; older ones give way.
_BACKLOG = 100_000


class Messages:
    """Handlers, and notifications that wait for somebody to ask."""

    def __init__(self) -> None:
        self.notice_handlers: list[Callable[[Diagnostics], None]] = []
        self.notify_handlers: list[Callable[[Notify], None]] = []
        self._backlog: deque[Notify] = deque(maxlen=_BACKLOG)
        self._waiting: set[asyncio.Future[None]] = set()
        self._end: str | None = None
        self._ended = False

    def on_messages(
        self, loop: asyncio.AbstractEventLoop, notices: list[Diagnostics], notifications: list[Notify]
    ) -> None:
        """Hand over what came."""
        for notice in notices:
            for handler in tuple(self.notice_handlers):
                _call(loop, handler, notice)
        for notification in notifications:
            for notify_handler in tuple(self.notify_handlers):
                _call(loop, notify_handler, notification)
            if self._waiting or not self.notify_handlers:
                self._backlog.append(notification)
        if notifications:
            self._wake()

    def forget(self) -> None:
        """Forget the notifications that wait for somebody to ask."""
        self._backlog.clear()

    def end(self, reason: str | None) -> None:
        """Nothing more will come."""
        if not self._ended:
            self._ended = True
            self._end = reason
            self._wake()

    @property
    def reason(self) -> str | None:
        """Why nothing more will come, when the connection was lost."""
        return self._end

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def notifies(self, timeout: float | None, stop_after: int | None) -> AsyncGenerator[Notify, None]:
        """See `AsyncConnection.notifies`."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        count = 0
        while stop_after is None or count < stop_after:
            if self._backlog:
                count += 1
                yield self._backlog.popleft()
                continue
            if self._ended:
                if self._end is not None:
                    raise OperationalError(self._end)
                return
            future = loop.create_future()
            timer = None
            if deadline is not None:
                timer = loop.call_at(deadline, _set, future)
            self._waiting.add(future)
            try:
                await future
            finally:
                self._waiting.discard(future)
                if timer is not None:
                    timer.cancel()
            if deadline is not None and not self._backlog and loop.time() >= deadline:
                return


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _call(loop: asyncio.AbstractEventLoop, handler: Callable[[Any], None], message: object) -> None:
    """Call a handler; what it raises is the event loop's to report, as of any callback."""
    try:
        handler(message)
    except (KeyboardInterrupt, SystemExit) as error:
        # They end the event loop, from a callback of their own: the answer beside the message is not lost.
        loop.call_soon(_throw, error)
    except BaseException as error:
        loop.call_exception_handler(
            {"message": f"exception in the handler {handler!r} of a connection", "exception": error}
        )


def _throw(error: BaseException) -> None:
    raise error
