"""kecoa for SQLAlchemy 2.0 and 2.1: the dialects, and transactions that are tried again.

`postgresql+kecoa` and `cockroachdb+kecoa` are known to SQLAlchemy once kecoa is installed; nothing needs to
be imported for them. `run_transaction` works with every driver.
"""

from kecoa.sqlalchemy.retry import run_transaction

__all__ = ["run_transaction"]
