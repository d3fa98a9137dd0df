"""What an exception says about the transaction it ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from kecoa._kecoa import Error, failure_facts

# statement_completion_unknown, and the standard's transaction_resolution_unknown.
_AMBIGUOUS = ("40003", "08007")
_SERIALIZATION_FAILURE = "40001"


class Facts(NamedTuple):
    """What `Attempts.on_failure` decides on."""

    sqlstate: str | None = None
    lost: bool = False
    commit_sent: bool = False
    certain: bool = False
    """True if the driver itself said that COMMIT was or was not sent: kecoa does, psycopg2 can't."""


def facts_of(error: BaseException, outer: BaseException | None = None) -> Facts:
    """Return what `error` and the exceptions behind it say; those from `outer` on are left out.

    An exception of a framework hides the driver's as `orig` (SQLAlchemy), `__cause__` (Django) or, where
    it was raised in an except block, `__context__`. An unknown outcome of COMMIT outweighs a lost
    connection, which outweighs 40001; any other SQLSTATE counts only where none of these is found.
    """
    found = [_facts_of_one(behind) for behind in _chain(error, outer)]
    for facts in found:
        if facts.commit_sent or facts.sqlstate in _AMBIGUOUS:
            return facts
    for facts in found:
        if facts.lost:
            return facts
    for facts in found:
        if facts.sqlstate == _SERIALIZATION_FAILURE:
            return facts
    return next((facts for facts in found if facts.sqlstate), Facts())


def handled_exception() -> BaseException | None:
    """Return the exception that is being handled at this moment: the `__context__` of every new one."""
    return sys.exc_info()[1]


def describe(error: BaseException) -> str:
    """Return the error's type and the first line of its message."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__


def _chain(error: BaseException, outer: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    pending: list[Any] = [error]
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or current is outer or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [getattr(current, "orig", None), current.__cause__]
        if not current.__suppress_context__:
            pending.append(current.__context__)


def _facts_of_one(error: BaseException) -> Facts:
    if isinstance(error, Error):
        return Facts(*failure_facts(error), certain=True)
    for found in (
        getattr(error, "pgcode", None),
        getattr(error, "sqlstate", None),
        getattr(getattr(error, "diag", None), "sqlstate", None),
        _field_of_pg8000(error),
    ):
        if isinstance(found, str) and len(found) == 5:
            return Facts(found)
    return Facts()


def _field_of_pg8000(error: BaseException) -> object:
    """Return the SQLSTATE of an error whose one argument are the server's fields by their letters."""
    fields = error.args[0] if error.args else None
    return fields.get("C") if isinstance(fields, dict) else None
