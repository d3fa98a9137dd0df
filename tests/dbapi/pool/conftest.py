"""Pools that are closed at the end of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kecoa.pool import Pool


@pytest.fixture
def pool_of(dsn: str) -> Iterator[Callable[..., Pool]]:
    """Makes pools, and closes them."""
    made: list[Pool] = []

    def maker(*args: Any, **kwargs: Any) -> Pool:
        pool = Pool(dsn, *args, **kwargs)
        made.append(pool)
        return pool

    yield maker
    for pool in made:
        pool.close()
