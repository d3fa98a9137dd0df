"""UPSERT: insert rows, or overwrite those whose primary key is there already."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.dml import Insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["MARK", "Upsert", "upsert"]

# Stands behind the word INSERT until the compiler puts UPSERT in the place of both.
MARK = "/* kecoa: upsert */"


class Upsert(Insert):
    """CockroachDB's UPSERT, built and executed as an INSERT: values(), from_select(), returning()."""

    inherit_cache = True
    _post_values_clause = None

    def on_conflict_do_nothing(self, *args: Any, **kw: Any) -> Any:
        """Refuse: UPSERT says already what happens."""
        raise exc.InvalidRequestError("UPSERT takes no ON CONFLICT: use insert()")

    def on_conflict_do_update(self, *args: Any, **kw: Any) -> Any:
        """Refuse: UPSERT says already what happens."""
        raise exc.InvalidRequestError("UPSERT takes no ON CONFLICT: use insert()")


def upsert(table: Any) -> Upsert:
    """Return `UPSERT INTO table`.

    Unlike ON CONFLICT DO UPDATE it decides by the primary key alone, and needs no read before the write when
    the table has no secondary indexes and all columns are given.
    https://www.cockroachlabs.com/docs/stable/upsert
    """
    return Upsert(table).prefix_with(MARK, dialect="cockroachdb")


@compiles(Upsert)
def _refuse(element: Upsert, compiler: SQLCompiler, **kw: Any) -> str:
    raise exc.CompileError(f"{compiler.dialect.name} has no UPSERT: use insert().on_conflict_do_update()")


@compiles(Upsert, "cockroachdb")
def _compile(element: Upsert, compiler: SQLCompiler, **kw: Any) -> str:
    text: str = compiler.visit_insert(element, **kw)
    return text
