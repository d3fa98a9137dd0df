"""SQLAlchemy's dialect `cockroachdb+kecoa` with asyncio, on connections of `kecoa.aio`.

    engine = sqlalchemy.ext.asyncio.create_async_engine("cockroachdb+kecoa://user:password@host:26257/database")

`cockroachdb+kecoa_async` names it where nothing says that the engine is an asynchronous one.
"""

# SQLAlchemy's dialects are not typed for being mixed.
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

from kecoa.sqlalchemy.cockroachdb.kecoa import CockroachDBDialect_kecoa
from kecoa.sqlalchemy.postgresql_async import KecoaAsyncDialect

__all__ = ["CockroachDBDialectAsync_kecoa", "dialect"]


class CockroachDBDialectAsync_kecoa(CockroachDBDialect_kecoa, KecoaAsyncDialect):
    """The dialect `cockroachdb+kecoa` on a connection of `kecoa.aio`."""

    supports_statement_cache = True


dialect: Any = CockroachDBDialectAsync_kecoa
