"""Cancels a task at a chosen moment: each time that it begins to wait, or just when its waiting is over."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine
from typing import Any

#: When a cancellation comes: while the task waits, or in the moment in which what it waits for is there.
MOMENTS = ("waiting", "served")


@types.coroutine
def _in_steps(coroutine: Coroutine[Any, Any, Any], on_wait: Callable[[Any], None]) -> Any:
    """Run a coroutine, and report each future that it waits for."""
    step: Callable[[], Any] = lambda: coroutine.send(None)  # noqa: E731
    while True:
        try:
            future = step()
        except StopIteration as end:
            return end.value
        on_wait(future)
        try:
            yield future
        except BaseException as raised:
            error = raised
            step = lambda: coroutine.throw(error)  # noqa: B023, E731
        else:
            step = lambda: coroutine.send(None)  # noqa: E731


async def cut(body: Coroutine[Any, Any, Any], at: int, times: int, moment: str) -> tuple[bool, int]:
    """Run `body` as a task that is cancelled when it waits for the `at`th time, and at the following waits.

    Whether it came to its end without being cancelled, and how often it waited.
    """
    loop = asyncio.get_running_loop()
    waits = 0
    task: asyncio.Task[Any]

    def on_wait(future: Any) -> None:
        nonlocal waits
        number = waits
        waits += 1
        if not at <= number < at + times:
            return
        if moment == "served" and future is not None:
            future.add_done_callback(lambda _: task.cancel())
        else:
            loop.call_soon(task.cancel)

    async def run() -> Any:
        return await _in_steps(body, on_wait)

    task = asyncio.ensure_future(run())
    await asyncio.wait([task])
    if task.cancelled():
        return False, waits
    task.result()
    return True, waits
