"""Names of psycopg2 that kecoa does not have yet: they can be imported, and say so when they are used."""

from __future__ import annotations

from typing import Any, NoReturn

from kecoa._kecoa import NotSupportedError, connection


def _refuse(name: str) -> NoReturn:
    raise NotSupportedError(f"kecoa has no {name} yet")


def not_yet_class(name: str, base: type = object) -> Any:
    """Return a class that can be subclassed, and raises NotSupportedError when an object of it is made."""

    def refuse(cls: type, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse(name)

    return type(name, (base,), {"__new__": refuse, "__module__": "kecoa.extras", "NOT_YET": True})


def not_yet_connection(name: str) -> Any:
    """Return a connection class that raises NotSupportedError when it is to connect."""
    return not_yet_class(name, connection)
