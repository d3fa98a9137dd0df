"""What SQLAlchemy finds by the plain name `cockroachdb`, which belongs to sqlalchemy-cockroachdb.

The name is looked up for `cockroachdb://` and for what `Table(..., cockroachdb_locality=...)` and its like
may say. Where another package has registered it, this entry point gives what that one gives, so that it does
not matter which of the two SQLAlchemy comes upon first; where none has, it is kecoa's dialect.
`cockroachdb+kecoa://` is kecoa's in any case.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from sqlalchemy.sql.base import DialectKWArgs

from kecoa.sqlalchemy.cockroachdb.arguments import ARGUMENTS

GROUP = "sqlalchemy.dialects"
NAME = "cockroachdb"


def others() -> list[EntryPoint]:
    """Return what other packages have registered by the name."""
    return [
        found
        for found in entry_points(group=GROUP, name=NAME)
        if found.value.partition(":")[0].partition(".")[0] != "kecoa"
    ]


def share_arguments() -> None:
    """Let tables and indexes say what kecoa's dialect knows where the name is another package's.

    SQLAlchemy asks the dialect of the plain name which arguments there are: its own stay as they are.
    """
    if not others():
        return
    # One that cannot be imported is of no use to anybody, and no reason not to use kecoa's.
    with suppress(ImportError):
        registered = DialectKWArgs._kw_registry[NAME]
        if registered is None:
            return
        for construct, names in ARGUMENTS:
            # The dictionaries in it are PostgreSQL's as well.
            registered[construct] = {**names, **(registered.get(construct) or {})}


def __getattr__(name: str) -> Any:
    if name != "dialect":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for found in others():
        return found.load()
    from kecoa.sqlalchemy.cockroachdb.kecoa import CockroachDBDialect_kecoa

    return CockroachDBDialect_kecoa
