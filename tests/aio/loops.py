"""Runs coroutine functions as tests, on asyncio's own event loop and on uvloop."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

#: No test may hang: what takes longer is an error.
LIMIT = 120

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run(coroutine: Any, kind: str = "asyncio") -> Any:
    """Run a coroutine in a new event loop, to its end; an exception in a callback of the loop fails it."""
    loop = LOOPS[kind]()
    failures: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    try:
        result = loop.run_until_complete(asyncio.wait_for(coroutine, LIMIT))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    assert not failures, failures
    return result


def looped(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Make a test of a coroutine function: asyncio's event loop."""

    @functools.wraps(fn)
    def test(*args: Any, **kwargs: Any) -> None:
        run(fn(*args, **kwargs))

    return test


def on_both_loops(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Make two tests of a coroutine function: asyncio's event loop, and uvloop."""

    @functools.wraps(fn)
    def test(*args: Any, event_loop_kind: str, **kwargs: Any) -> None:
        run(fn(*args, **kwargs), event_loop_kind)

    signature = inspect.signature(fn)
    kind = inspect.Parameter("event_loop_kind", inspect.Parameter.KEYWORD_ONLY)
    test.__signature__ = signature.replace(parameters=[*signature.parameters.values(), kind])
    return pytest.mark.parametrize("event_loop_kind", list(LOOPS))(test)


async def until(condition: Callable[[], Any], what: str) -> None:
    """Wait until a condition holds that others bring about."""
    for _ in range(1000):
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never: {what}")
