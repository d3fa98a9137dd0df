"""SQLAlchemy's dialect `postgresql+kecoa`, on a blocking connection.

    engine = sqlalchemy.create_engine("postgresql+kecoa://user:password@host:port/database")

It is SQLAlchemy's psycopg2 dialect with kecoa below it, so what is documented there holds here: arguments of
`create_engine`, isolation levels, execution options, two-phase transactions. What differs is said in the
docstrings below; first of all, values travel beside the statements, as in SQLAlchemy's other dialects, not
inside of them. `sqlalchemy.ext.asyncio.create_async_engine` takes the same URL: see `postgresql_async`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any, Literal

from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2, PGExecutionContext_psycopg2
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import ArgumentError

from kecoa import DatabaseError
from kecoa.sqlalchemy._failure import is_lost
from kecoa.sqlalchemy._module import dbapi_module
from kecoa.sqlalchemy.postgresql_types import CASTS, COLSPECS, register_multiranges

__all__ = ["KecoaDialect", "PGDialect_kecoa", "dialect"]


_SEEN = "kecoa_schema_changes"


class KecoaExecutionContext(PGExecutionContext_psycopg2):
    """What runs one statement. Has the server forget what it prepared before the engine changed a schema.

    A statement whose columns have another type than when it was prepared fails, and with it the transaction.
    """

    def pre_exec(self) -> None:
        """Do what has to come before the statement."""
        super().pre_exec()
        dialect: Any = self.dialect
        if not dialect.prepares:
            return
        if self.isddl:
            dialect.schema_changes += 1
        # Before the first change there is nothing to forget, and SQLAlchemy's first connection has no `info`.
        if not dialect.schema_changes:
            return
        info = self._dbapi_connection.info
        if info.get(_SEEN, 0) == dialect.schema_changes:
            return
        # In a failed transaction nothing can be done, and the statement will say so itself.
        with suppress(DatabaseError):
            cursor = self._dbapi_connection.cursor()
            cursor.execute("DEALLOCATE ALL")
            cursor.close()
            info[_SEEN] = dialect.schema_changes


class KecoaDialect(PGDialect_psycopg2):
    """What every dialect on a blocking kecoa connection has, whichever database is at the other end."""

    driver = "kecoa"
    supports_statement_cache = True
    execution_ctx_cls = KecoaExecutionContext
    colspecs = COLSPECS
    #: How values travel where neither an argument nor the URL says it.
    default_binding: Literal["server", "client"] = "client"
    #: How many schema changes the engine made.
    schema_changes = 0
    #: True if the server prepares statements, so that they matter.
    prepares = False
    # By position: an INSERT of a thousand rows needs no four thousand names, and half of the time.
    default_paramstyle = "format"

    def __init__(
        self,
        native_inet_types: bool | None = None,
        binding: Literal["server", "client"] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the arguments of SQLAlchemy's psycopg2 dialect.

        With `native_inet_types`, which is refused there, values of inet and cidr are objects of `ipaddress`.
        `binding` says how values travel; it may also be said in the URL, as `?binding=client`. With "server"
        they go beside the statements, with casts as SQLAlchemy's other dialects write them, and the server
        prepares what comes again. With "client" they are merged into the statements, as psycopg2 does: that
        needs nothing of a pooler between here and the server, and types are what they are in literals. The
        default is `default_binding`.
        """
        # psycopg2's dialect holds the module to psycopg2's version numbers; kecoa's say nothing to it.
        dbapi = kwargs.pop("dbapi", None)
        super().__init__(**kwargs)
        self.dbapi = dbapi
        self._native_inet_types = native_inet_types
        self._bind(binding)

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """Return the module of PEP 249."""
        return dbapi_module()

    @property
    def _psycopg2_extensions(self) -> ModuleType:
        from kecoa import extensions

        return extensions

    @property
    def _psycopg2_extras(self) -> ModuleType:
        from kecoa import extras

        return extras

    def _bind(self, binding: str | None) -> None:
        """Take the way to bind; before any type was looked up."""
        if binding not in (None, "client", "server"):
            raise ArgumentError(f'expected binding "client" or "server", found {binding!r}')
        if self.is_async and binding == "client":
            raise ArgumentError(
                'expected binding "server", the only one of asynchronous connections, found "client"'
            )
        self.binding = "server" if self.is_async else binding or self.default_binding
        self.prepares = self.binding == "server"
        # A parameter has no context that says its type, as a literal has.
        self.colspecs = {**type(self).colspecs, **CASTS} if self.prepares else type(self).colspecs

    def create_connect_args(self, url: URL) -> Any:
        """Return the arguments of `connect`."""
        args, parameters = super().create_connect_args(url)
        # The URL has the last word. An asynchronous connection does not ask.
        if "binding" in parameters:
            self._bind(parameters.pop("binding"))
        if not self.is_async:
            parameters["binding"] = self.binding
        return args, parameters

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
        """Return True if the connection is of no use after the error, by its state and SQLSTATE."""
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
    # A quarter to a third less time where the server's share is what counts, and an engine means the same
    # whether it is asynchronous or not. Blocking engines on CockroachDB keep to literals, see docs.
    default_binding = "server"

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Dialect]:  # noqa: ARG003
        """Return the dialect of `create_async_engine`."""
        from kecoa.sqlalchemy.postgresql_async import PGDialectAsync_kecoa

        found: type[Dialect] = PGDialectAsync_kecoa
        return found


dialect = PGDialect_kecoa
