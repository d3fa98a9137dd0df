"""Alembic on CockroachDB: migrations that come to rest, in the face of locked schemas.

The dialect loads this module where Alembic is installed: nothing needs to be imported.

What differs from PostgreSQL:
- schema changes are not part of a transaction. With autocommit_before_ddl, which is on since 25.1, the server
  commits before each of them; so a migration that fails half-way is half done;
- a table may be locked against schema changes (schema_locked, the default since 26.1). The server unlocks it
  for most of them; where it refuses (57000), the table is unlocked, the change made, the table locked again;
- INTEGER is BIGINT and JSON is JSONB, each unique index is a constraint, defaults come back with casts: none
  of these is reported as a difference.
"""

from __future__ import annotations

import re
from typing import Any

from alembic.ddl import impl, postgresql
from alembic.ddl.base import ColumnComment, IdentityColumnDefault, RenameTable
from sqlalchemy import exc
from sqlalchemy.ext.compiler import compiles

from kecoa.retry._failure import facts_of

__all__ = ["CockroachDBImpl"]

_LOCKED = re.compile(r'schema change is disallowed because table "([^"]+)" is locked')
_LOCKED_STATE = "57000"  # operator_intervention
_CAST = re.compile(
    r""":::?\s*(?:"[^"]+"|[\w.]+)
        (?:\s+(?:varying|precision|with(?:out)?\ time\ zone))?(?:\([\d,\ ]+\))?(?:\[\])*""",
    re.IGNORECASE | re.VERBOSE,
)


# What another package registered by the name, of which Alembic keeps one. It was imported before, if it is
# there: `kecoa.sqlalchemy.cockroachdb` looks for it.
_theirs: Any = impl._impls.get("cockroachdb")


class CockroachDBImpl(postgresql.PostgresqlImpl):
    """Alembic's operations and comparisons for the dialect `cockroachdb+kecoa`.

    For other packages' dialects of that name it is what they registered, if they did.
    """

    __dialect__ = "cockroachdb"

    def __new__(cls, dialect: Any, *args: Any, **kwargs: Any) -> Any:
        """Give way to what another package registered, for its dialects."""
        from kecoa.sqlalchemy.cockroachdb.base import CockroachDBDialect

        if _theirs is not None and not isinstance(dialect, CockroachDBDialect):
            return _theirs(dialect, *args, **kwargs)
        return super().__new__(cls)

    transactional_ddl = False
    type_synonyms = (
        *postgresql.PostgresqlImpl.type_synonyms,
        {"INTEGER", "BIGINT", "INT8", "INT"},
        {"SMALLINT", "INT2"},
        {"JSON", "JSONB"},
        {"STRING", "TEXT", "VARCHAR"},
        {"FLOAT", "DOUBLE PRECISION", "FLOAT8"},
        {"REAL", "FLOAT4"},
    )

    def _exec(self, construct: Any, *args: Any, **kw: Any) -> Any:
        try:
            return super()._exec(construct, *args, **kw)
        except exc.DBAPIError as error:
            table = _locked_table(error)
            if table is None or self.connection is None:
                raise
        name = self.dialect.identifier_preparer.quote(table)
        schema = getattr(construct, "schema", None) or getattr(
            getattr(construct, "element", None), "schema", None
        )
        if schema is not None:
            name = f"{self.dialect.identifier_preparer.quote_schema(schema)}.{name}"
        # What the refused statement was part of is over.
        if self.connection.in_transaction():
            self.connection.exec_driver_sql("ROLLBACK")
        self.connection.exec_driver_sql(f"ALTER TABLE {name} SET (schema_locked = false)")
        try:
            return super()._exec(construct, *args, **kw)
        finally:
            self.connection.exec_driver_sql(f"ALTER TABLE {name} SET (schema_locked = true)")

    def compare_server_default(
        self,
        inspector_column: Any,
        metadata_column: Any,
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> bool:
        """Return True if the defaults differ, but for casts: `'new':::STRING` is `'new'`."""
        if (
            metadata_column.primary_key
            and metadata_column is metadata_column.table._autoincrement_column
            and metadata_column.server_default is None
        ):
            return False
        default = getattr(metadata_column.server_default, "arg", None)
        wanted = _quoted(default) if isinstance(default, str) else rendered_metadata_default
        return _plain(wanted) != _plain(rendered_inspector_default)

    def correct_for_autogen_constraints(
        self,
        conn_unique_constraints: Any,
        conn_indexes: Any,
        metadata_unique_constraints: Any,
        metadata_indexes: Any,
    ) -> None:
        """Take each unique index of the database for what the model calls it: an index or a constraint."""
        indexes = {index.name for index in metadata_indexes}
        for constraint in list(conn_unique_constraints):
            if constraint.name in indexes:
                conn_unique_constraints.remove(constraint)
        for index in list(conn_indexes):
            if index.info.get("duplicates_constraint") and index.name not in indexes:
                conn_indexes.remove(index)

    def adjust_reflected_dialect_options(self, reflected_object: Any, kind: str) -> dict[str, Any]:
        """Leave out what says nothing."""
        options: dict[str, Any] = super().adjust_reflected_dialect_options(reflected_object, kind)
        return {name: value for name, value in options.items() if value not in ([], None)}

    def render_type(self, type_: Any, autogen_context: Any) -> Any:
        """Render CockroachDB's own types in a migration, with their import."""
        if type(type_).__module__ != "kecoa.sqlalchemy.cockroachdb.types":
            return super().render_type(type_, autogen_context)
        autogen_context.imports.add("from kecoa.sqlalchemy import cockroachdb")
        return f"cockroachdb.{type_!r}"


def _locked_table(error: exc.DBAPIError) -> str | None:
    match = _LOCKED.search(str(error.orig))
    return match[1] if match is not None and facts_of(error).sqlstate == _LOCKED_STATE else None


def _quoted(value: str) -> str:
    text = value[1:-1] if re.fullmatch(r"'.*'", value, re.DOTALL) else value.replace("'", "''")
    return f"'{text}'"


def _plain(default: str | None) -> str | None:
    """Return a default without casts, parentheses around all of it, and quotes around a number."""
    if default is None:
        return None
    text = _CAST.sub("", default).strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    number = re.fullmatch(r"'(-?\d+(?:\.\d+)?)'", text)
    text = number[1] if number is not None else text
    return text if "'" in text else text.lower()


# The words that ALTER TABLE takes are PostgreSQL's.
for _construct, _visit in (
    (RenameTable, postgresql.visit_rename_table),
    (postgresql.PostgresqlColumnType, postgresql.visit_column_type),
    (ColumnComment, postgresql.visit_column_comment),
    (IdentityColumnDefault, postgresql.visit_identity_column),
):
    compiles(_construct, "cockroachdb")(_visit)
