"""What a pool is made with besides numbers, checked before anything is opened."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from kecoa import extensions
from kecoa.pool import _settings

#: Arguments of `kecoa.connect`, and of `kecoa.aio.connect`, that say what is made, and are no part of a DSN.
_FACTORIES = ("connection_factory", "cursor_factory", "row_factory")
_CONNECTION = ("binding", "statement_timeout", "autocommit")


def text(name: str, value: Any) -> str:
    """Return a string; TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"expected {name} as a string, found {type(value).__name__}")
    return value


def hook(name: str, value: Any, *, awaited: bool = False) -> None:
    """Check a function that is called with a connection, or None; TypeError."""
    if value is None:
        return
    if not callable(value):
        raise TypeError(f"expected {name} as a function of a connection, found {type(value).__name__}")
    if not awaited and inspect.iscoroutinefunction(value):
        raise TypeError(
            f"expected {name} as a function that is not `async`: this pool awaits nothing,"
            " kecoa.aio.AsyncConnectionPool does"
        )


def keywords(value: Any) -> dict[str, Any]:
    """Return the arguments by name that a pool connects with; TypeError."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise TypeError(
            "expected kwargs as a dict of arguments of connect(), such as {'connect_timeout': 5}, found"
            f" {type(value).__name__}"
        )
    return dict(value)


def of_connect(dsn: Any, kwargs: Mapping[str, Any]) -> None:
    """Check what a connection is to be made with, as far as it can be told without one.

    TypeError, ValueError, ProgrammingError.
    """
    if dsn is not None:
        text("dsn", dsn)
    for name in _FACTORIES:
        value = kwargs.get(name)
        if value is not None and not callable(value):
            raise TypeError(f"expected {name} as a function or a class, found {type(value).__name__}")
    binding = kwargs.get("binding")
    if binding not in (None, "client", "server"):
        raise ValueError(f"expected binding as 'client' or 'server', found {binding!r}")
    _settings.optional("statement_timeout", kwargs.get("statement_timeout"))
    if any(kwargs.get(name) for name in ("async", "async_")):
        raise ValueError(
            "expected connections that wait for their statements, found async: kecoa.aio.AsyncConnectionPool"
            " is the pool for asyncio"
        )
    apart = {*_FACTORIES, *_CONNECTION, "async", "async_"}
    extensions.make_dsn(dsn, **{name: value for name, value in kwargs.items() if name not in apart})
