"""Calling a pool's hooks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


async def call_hook(name: str, hook: Callable[[Any], Any], conn: Any) -> None:
    """Await a hook of a pool; TypeError for a function that gives nothing to await."""
    made = hook(conn)
    if not inspect.isawaitable(made):
        raise TypeError(
            f"expected {name}() as a function that is awaited (`async def`), found one that returned"
            f" {type(made).__name__}"
        )
    await made
