"""Connecting without blocking the event loop."""

from __future__ import annotations

import asyncio

from kecoa._kecoa import AsyncLink, AsyncOpening


async def open_link(dsn: str) -> AsyncLink:
    """Connect on a helper thread; the attempt is given up when the waiting task is cancelled."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def wake() -> None:
        if not done.done():
            done.set_result(None)

    opening = AsyncOpening(dsn, loop, wake)
    try:
        await done
    except BaseException:
        opening.give_up()
        raise
    return AsyncLink(opening.take(), loop)
