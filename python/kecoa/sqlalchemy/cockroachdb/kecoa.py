"""SQLAlchemy's dialect `cockroachdb+kecoa`: CockroachDB's on kecoa's connections.

engine = sqlalchemy.create_engine("cockroachdb+kecoa://user:password@host:26257/database")
"""

# SQLAlchemy's dialects are not typed for being mixed.
# mypy: disable-error-code="misc"

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import INTERVAL

from kecoa.sqlalchemy.cockroachdb.base import CockroachDBDialect, CockroachDBExecutionContext
from kecoa.sqlalchemy.cockroachdb.types import CastInterval, PlainInterval
from kecoa.sqlalchemy.postgresql import KecoaDialect

__all__ = ["CockroachDBDialect_kecoa", "dialect"]


class _ExecutionContext(CockroachDBExecutionContext, KecoaDialect.execution_ctx_cls):  # type: ignore[valid-type]
    pass


class CockroachDBDialect_kecoa(CockroachDBDialect, KecoaDialect):
    """The dialect `cockroachdb+kecoa` on a blocking connection."""

    supports_statement_cache = True
    execution_ctx_cls: Any = _ExecutionContext
    colspecs: Any = {**KecoaDialect.colspecs, sqltypes.Interval: PlainInterval, INTERVAL: PlainInterval}

    def _bind(self, binding: str | None) -> None:
        super()._bind(binding)
        if self.prepares:
            self.colspecs = {**self.colspecs, INTERVAL: CastInterval}

    @classmethod
    def get_async_dialect_cls(cls, url: Any) -> Any:  # noqa: ARG003
        """Return the dialect of `create_async_engine`."""
        from kecoa.sqlalchemy.cockroachdb.kecoa_async import CockroachDBDialectAsync_kecoa

        return CockroachDBDialectAsync_kecoa


dialect = CockroachDBDialect_kecoa

# Alembic knows databases by what was imported; it may be imported after this.
with suppress(ImportError):
    importlib.import_module("kecoa.sqlalchemy.alembic")
