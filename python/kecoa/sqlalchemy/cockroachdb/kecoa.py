"""SQLAlchemy's dialect `cockroachdb+kecoa`: CockroachDB's on kecoa's connections.

engine = sqlalchemy.create_engine("cockroachdb+kecoa://user:password@host:26257/database")
"""

# SQLAlchemy's dialects are not typed for being mixed.
# mypy: disable-error-code="misc"

from __future__ import annotations

from kecoa.sqlalchemy.cockroachdb.base import CockroachDBDialect
from kecoa.sqlalchemy.postgresql import KecoaDialect

__all__ = ["CockroachDBDialect_kecoa", "dialect"]


class CockroachDBDialect_kecoa(CockroachDBDialect, KecoaDialect):
    """The dialect `cockroachdb+kecoa` on a blocking connection."""

    supports_statement_cache = True


dialect = CockroachDBDialect_kecoa
