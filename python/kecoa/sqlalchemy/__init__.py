"""kecoa for SQLAlchemy 2.0 and 2.1: the dialects, and transactions that are tried again.

`postgresql+kecoa` and `cockroachdb+kecoa` are known to SQLAlchemy once kecoa is installed; nothing needs to
be imported for them. `run_transaction` works with every driver. `engine_url` turns a DATABASE_URL into
SQLAlchemy's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kecoa.sqlalchemy._url import engine_url as engine_url
    from kecoa.sqlalchemy.retry import run_transaction as run_transaction

__all__ = ["engine_url", "run_transaction"]


def __getattr__(name: str) -> object:
    # Loaded when first asked for: it needs SQLAlchemy's ORM, and a dialect does not.
    if name == "run_transaction":
        from kecoa.sqlalchemy.retry import run_transaction

        globals()[name] = run_transaction
        return run_transaction
    if name == "engine_url":
        from kecoa.sqlalchemy._url import engine_url

        return engine_url
    raise AttributeError(f"module 'kecoa.sqlalchemy' has no attribute {name!r}")
