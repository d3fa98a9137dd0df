"""`create_engine("postgres://…")`, a name that SQLAlchemy gave up in version 1.4: what to write instead."""

from __future__ import annotations

from typing import NoReturn

from sqlalchemy.exc import NoSuchModuleError

__all__ = ["dialect"]


class dialect:
    """Stands where SQLAlchemy looks for a dialect, and says that there is none."""

    @classmethod
    def get_dialect_cls(cls, _url: object) -> NoReturn:
        """Raise NoSuchModuleError, as SQLAlchemy does, with what to write."""
        # The URL is not repeated: it may have a password.
        raise NoSuchModuleError(
            "SQLAlchemy has no dialect postgres: write postgresql+kecoa://, for CockroachDB cockroachdb+kecoa://;"
            " kecoa.sqlalchemy.engine_url() makes the right one of a DATABASE_URL"
        )

    get_async_dialect_cls = get_dialect_cls
