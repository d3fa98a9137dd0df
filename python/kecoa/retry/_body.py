"""What a transaction's body must not do: run when the transaction is over, or keep its end to itself."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

INSIDE_ALREADY = (
    "expected a {} outside a transaction, found one inside: commit or roll back first; in the body of another"
    " transaction call the function by itself"
)
LOST_IN_BODY = (
    "the connection was lost inside the body, which caught the error and did not raise it again. What the"
    " body did not commit by itself is rolled back; let the error leave the body, so that the transaction can"
    " be tried again"
)
CLOSED_IN_BODY = "the body closed its connection: nothing is committed but what it committed by itself"
FAILED_IN_BODY = (
    "the body returned although a statement of its transaction had failed: an error was caught inside and not"
    " raised again. Nothing is committed. Let the error leave the body, so that it can be tried again, or {}"
)
COMMITTED_IN_BODY = (
    "the body {}, what followed is rolled back. Leave COMMIT to run_transaction, which knows when it can be"
    " tried again"
)


class CommitCount:
    """The COMMITs of a connection of kecoa's, however they were sent. Other drivers do not count."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self._before = getattr(conn, "_commits", None)

    def has_grown(self) -> bool:
        """Return True if there was a COMMIT since this was made."""
        return self._before is not None and getattr(self._conn, "_commits", self._before) != self._before


def kind_of(value: Any) -> str | None:
    """Return what `value` is, if it is something whose body has not run, or not to its end."""
    if inspect.iscoroutine(value):
        return "a coroutine"
    if inspect.isgenerator(value):
        return "a generator"
    if inspect.isasyncgen(value):
        return "an async generator"
    if type(value).__module__ == "contextlib" and inspect.isgenerator(getattr(value, "gen", None)):
        return "a context manager made of a generator function"
    # What asyncio.isfuture asks; blocking programs need not import asyncio for it.
    if getattr(value, "_asyncio_future_blocking", None) is not None:
        return None if value.done() else "a future or task that is not done"
    if inspect.isawaitable(value):
        return "an awaitable"
    return None


def refuse_result(value: Any, fn: Any) -> None:
    """TypeError for a body that returned something that would run after COMMIT, outside its transaction."""
    kind = kind_of(value)
    if kind is None:
        return
    if inspect.iscoroutine(value) or inspect.isgenerator(value):
        value.close()
    raise TypeError(
        f"expected a result from {_name(fn)}, found {kind}, which would run after COMMIT, outside the"
        " transaction. Nothing is committed. Let the body do its work before it returns: await what it"
        " awaits, and return rows as a list"
    )


def refuse_generators(fn: Callable[..., Any]) -> None:
    """TypeError for a generator function: its body would run after COMMIT."""
    plain: Any = fn
    while isinstance(plain, functools.partial):
        plain = plain.func
    for found in (plain, vars(type(plain)).get("__call__")):
        if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
            raise TypeError(
                "expected a function whose call runs the transaction, found the generator function"
                f" {_name(fn)}, whose body would run after COMMIT. Return the rows as a list"
            )


def _name(fn: Any) -> str:
    return getattr(fn, "__qualname__", None) or repr(fn)
