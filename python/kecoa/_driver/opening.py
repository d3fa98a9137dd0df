"""Opening a connection, with its event for listeners and its line in the log."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from kecoa._kecoa import _listening


def opened(make: Callable[[], Any]) -> Any:
    """Return the connection that `make()` opens; notify listeners and log it."""
    if _listening():
        from kecoa.observe import Observed

        with Observed("connect", None) as observed:
            conn = _logged(make)
            observed.subject = conn
        return conn
    return _logged(make)


def _logged(make: Callable[[], Any]) -> Any:
    if "logging" not in sys.modules:
        return make()
    from kecoa._driver import log

    try:
        conn = make()
    except Exception as error:
        log.failed(error)
        raise
    # One of psycopg2's asynchronous connections is not open yet.
    if not getattr(conn, "async_", 0):
        log.opened(conn)
    return conn


async def opened_soon(make: Callable[[], Awaitable[Any]]) -> Any:
    """Return the connection that `await make()` opens; notify listeners and log it."""
    if _listening():
        from kecoa.observe import Observed

        with Observed("connect", None) as observed:
            conn = await _logged_soon(make)
            observed.subject = conn
        return conn
    return await _logged_soon(make)


async def _logged_soon(make: Callable[[], Awaitable[Any]]) -> Any:
    if "logging" not in sys.modules:
        return await make()
    from kecoa._driver import log

    try:
        conn = await make()
    except Exception as error:
        log.failed(error)
        raise
    log.opened(conn)
    return conn
