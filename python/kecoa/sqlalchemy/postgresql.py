"""SQLAlchemy's dialect `postgresql+kecoa`, on a blocking connection.

    engine = sqlalchemy.create_engine("postgresql+kecoa://user:password@host:port/database")

It is SQLAlchemy's psycopg2 dialect with kecoa below it, so what is documented there holds here: arguments of
`create_engine`, isolation levels, execution options, two-phase transactions. What differs is said in the
docstrings below. `sqlalchemy.ext.asyncio.create_async_engine` takes the same URL: see `postgresql_async`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import Dialect

from kecoa.sqlalchemy._failure import is_lost
from kecoa.sqlalchemy.postgresql_types import COLSPECS, register_multiranges

__all__ = ["KecoaDialect", "PGDialect_kecoa", "dialect"]


class KecoaDialect(PGDialect_psycopg2):
    """What every dialect on a blocking kecoa connection has, whichever database is at the other end."""

    driver = "kecoa"
    supports_statement_cache = True
    colspecs = COLSPECS

    def __init__(self, native_inet_types: bool | None = None, **kwargs: Any) -> None:
        """Take the arguments of SQLAlchemy's psycopg2 dialect.

        With `native_inet_types`, which is refused there, values of inet and cidr are objects of `ipaddress`.
        """
        # psycopg2's dialect holds the module to psycopg2's version numbers; kecoa's say nothing to it.
        dbapi = kwargs.pop("dbapi", None)
        super().__init__(**kwargs)
        self.dbapi = dbapi
        self._native_inet_types = native_inet_types

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """Return the module of PEP 249."""
        import kecoa

        return kecoa

    @property
    def _psycopg2_extensions(self) -> ModuleType:
        from kecoa import extensions

        return extensions

    @property
    def _psycopg2_extras(self) -> ModuleType:
        from kecoa import extras

        return extras

    def on_connect(self) -> Callable[[Any], None] | None:
        """Return what prepares a new connection."""
        prepare: Callable[[Any], None] | None = super().on_connect()
        register_addresses = self._psycopg2_extras.register_ipaddress if self._native_inet_types else None

        def prepare_ours(dbapi_conn: Any) -> None:
            if prepare is not None:
                prepare(dbapi_conn)
            register_multiranges(dbapi_conn)
            if register_addresses is not None:
                register_addresses(dbapi_conn)

        return prepare_ours

    def is_disconnect(self, e: BaseException, connection: Any, cursor: Any) -> bool:
        """Whether the connection is of no use after the error: by its state and SQLSTATE, not by words."""
        return is_lost(e, connection)

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        """Return the version that the server reported when the session began: no query is needed.

        CockroachDB, whose `version()` is not in PostgreSQL's form, reports a PostgreSQL of its likeness.
        """
        number: int = connection.connection.dbapi_connection.server_version
        major, rest = divmod(number, 10000)
        if not number:
            info: tuple[int, ...] = super()._get_server_version_info(connection)
            return info
        # PostgreSQL's numbers had three parts before 10.
        return (major, rest) if major >= 10 else (major, rest // 100, rest % 100)


class PGDialect_kecoa(KecoaDialect):
    """The dialect `postgresql+kecoa`."""

    supports_statement_cache = True

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Dialect]:  # noqa: ARG003
        """Return the dialect of `create_async_engine`."""
        from kecoa.sqlalchemy.postgresql_async import PGDialectAsync_kecoa

        found: type[Dialect] = PGDialectAsync_kecoa
        return found


dialect = PGDialect_kecoa
