"""What the tests of `kecoa.aio` share."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import kecoa.aio


@pytest.fixture
def connected(dsn: str) -> Callable[..., Any]:
    """`async with connected() as conn`: a connection in autocommit mode that is closed at the end."""

    @contextlib.asynccontextmanager
    async def opener(**kwargs: Any) -> AsyncIterator[kecoa.aio.AsyncConnection]:
        conn = await kecoa.aio.connect(dsn, **{"autocommit": True, **kwargs})
        try:
            yield conn
        finally:
            await conn.close()

    return opener
