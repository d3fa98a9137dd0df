"""Public names: what private modules make says that it is from where users have it."""

from __future__ import annotations

from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def publish(namespace: dict[str, Any], *unlisted: str) -> None:
    """Let what a public module has of private ones name it: in reprs, tracebacks, pickles and `help()`.

    `namespace` is the module's `globals()`. What counts is in its `__all__`, and in `unlisted`.
    """
    public = namespace["__name__"]
    for name in (*namespace["__all__"], *unlisted):
        value = namespace[name]
        if isinstance(value, (type, FunctionType)) and is_private(value.__module__):
            value.__module__ = public


def is_private(module: str) -> bool:
    """Return True for a module of kecoa's that users don't import."""
    return module.startswith("kecoa.") and "._" in module
