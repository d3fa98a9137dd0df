"""CockroachDB's SQL where it differs from PostgreSQL's: statements, DDL, types, names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.base import (
    IDX_USING,
    PGCompiler,
    PGDDLCompiler,
    PGIdentifierPreparer,
    PGTypeCompiler,
)
from sqlalchemy.schema import Column, Identity, Index, Table
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.expression import ColumnClause

from kecoa.sqlalchemy.cockroachdb.dml import MARK

__all__ = [
    "CockroachCompiler",
    "CockroachDDLCompiler",
    "CockroachIdentifierPreparer",
    "CockroachTypeCompiler",
]


class CockroachCompiler(PGCompiler):
    """Statements: UPSERT, and index hints as `table@index`."""

    def visit_insert(self, insert_stmt: Any, *args: Any, **kw: Any) -> str:
        """Render INSERT or UPSERT."""
        text: str = super().visit_insert(insert_stmt, *args, **kw)
        return text.replace(f"INSERT {MARK} ", "UPSERT ")

    def format_from_hint_text(self, sqltext: str, table: Any, hint: str, iscrud: bool) -> str:
        """Render what `with_hint(table, "index_name", "cockroachdb")` asks for."""
        return f"{sqltext}@{hint}"


class CockroachDDLCompiler(PGDDLCompiler):
    """DDL: computed columns, 64-bit integers as keys, localities, hash-sharded and inverted indexes."""

    def visit_computed_column(self, generated: Any, **kw: Any) -> str:
        """Render a computed column; it is stored unless `persisted=False`."""
        expression = self.sql_compiler.process(generated.sqltext, include_table=False, literal_binds=True)
        return f"AS ({expression}) {'VIRTUAL' if generated.persisted is False else 'STORED'}"

    def get_column_specification(self, column: Column[Any], **kwargs: Any) -> str:
        """Render a column; with `autoincrement_as="identity"` integer keys are identity columns."""
        if (
            getattr(self.dialect, "autoincrement_as", None) == "identity"
            and column.table is not None
            and column is column.table._autoincrement_column
            and column.identity is None
            and _is_left_to_the_server(column.default)
            and column.server_default is None
        ):
            parts = [
                self.preparer.format_column(column),
                self.dialect.type_compiler_instance.process(column.type, type_expression=column),
                self.process(Identity()),
                "NOT NULL",
            ]
            return " ".join(parts)
        text: str = super().get_column_specification(column, **kwargs)
        return text

    def post_create_table(self, table: Table) -> str:
        """Render storage parameters and the locality."""
        text: str = super().post_create_table(table)
        options = table.dialect_options["cockroachdb"]
        if options.get("with"):
            text += (
                "\n WITH (" + ", ".join(f"{key} = {value}" for key, value in options["with"].items()) + ")"
            )
        if options.get("locality"):
            text += f"\n LOCALITY {options['locality']}"
        return text

    def visit_primary_key_constraint(self, constraint: Any, **kw: Any) -> str:
        """Render a primary key, hash-sharded with `cockroachdb_hash`."""
        text: str = super().visit_primary_key_constraint(constraint, **kw)
        return text + (_hash(constraint) if text else "")

    def visit_create_index(self, create: Any, *args: Any, **kw: Any) -> str:
        """Render CREATE INDEX with CockroachDB's clauses."""
        index: Any = create.element
        self._verify_index_table(index)
        ours, theirs = index.dialect_options["cockroachdb"], index.dialect_options["postgresql"]
        words = ["CREATE"]
        if index.unique:
            words.append("UNIQUE")
        if ours.get("inverted"):
            words.append("INVERTED")
        words.append("INDEX")
        if theirs["concurrently"]:
            words.append("CONCURRENTLY")
        if create.if_not_exists:
            words.append("IF NOT EXISTS")
        words += [self._prepared_index_name(index, include_schema=False), "ON"]
        words.append(self.preparer.format_table(index.table))
        if theirs["using"] and not ours.get("inverted"):
            words.append(f"USING {self.preparer.validate_sql_phrase(theirs['using'], IDX_USING).lower()}")
        elements = [self._index_element(expression, theirs["ops"]) for expression in index.expressions]
        text = " ".join(words) + f" ({', '.join(elements)})" + _hash(index)
        stored = [*(ours.get("include") or ()), *(theirs["include"] or ())]
        if stored:
            names = [column if isinstance(column, str) else column.name for column in stored]
            text += f" STORING ({', '.join(map(self.preparer.quote, names))})"
        with_ = {**(theirs["with"] or {}), **(ours.get("with") or {})}
        if with_:
            text += f" WITH ({', '.join(f'{key} = {value}' for key, value in with_.items())})"
        if theirs["where"] is not None:
            text += " WHERE " + self.sql_compiler.process(
                coercions.expect(roles.DDLExpressionRole, theirs["where"]),
                include_table=False,
                literal_binds=True,
            )
        return text

    def _index_element(self, expression: Any, classes: dict[str, str]) -> str:
        inner = expression if isinstance(expression, ColumnClause) else expression.self_group()
        text: str = self.sql_compiler.process(inner, include_table=False, literal_binds=True)
        name = getattr(expression, "key", None)
        return f"{text} {classes[name]}" if name in classes else text

    def visit_drop_index(self, drop: Any, **kw: Any) -> str:
        """Render DROP INDEX: by table, since names are unique in a table only; of its constraint too."""
        index: Index = drop.element
        words = ["DROP INDEX"]
        if index.dialect_options["postgresql"]["concurrently"]:
            words.append("CONCURRENTLY")
        if drop.if_exists:
            words.append("IF EXISTS")
        if index.table is None:
            words.append(self._prepared_index_name(index, include_schema=True))
        else:
            name = self._prepared_index_name(index, include_schema=False)
            words.append(f"{self.preparer.format_table(index.table)}@{name}")
        if index.unique:
            words.append("CASCADE")
        return " ".join(words)


def _is_left_to_the_server(default: Any) -> bool:
    return default is None or (default.is_sequence and default.optional)


def _hash(element: Any) -> str:
    buckets = element.dialect_options["cockroachdb"].get("hash")
    if not buckets:
        return ""
    if buckets is True:
        return " USING HASH"
    if not isinstance(buckets, int):
        raise exc.CompileError(f"expected cockroachdb_hash as True or a number of buckets, found {buckets!r}")
    return f" USING HASH WITH (bucket_count = {buckets})"


class CockroachTypeCompiler(PGTypeCompiler):
    """Types by CockroachDB's names where PostgreSQL's mean something else."""

    def visit_INT2(self, type_: Any, **kw: Any) -> str:
        """Render 16 bits."""
        return "INT2"

    def visit_INT4(self, type_: Any, **kw: Any) -> str:
        """Render 32 bits."""
        return "INT4"

    def visit_INT8(self, type_: Any, **kw: Any) -> str:
        """Render 64 bits."""
        return "INT8"

    def visit_STRING(self, type_: Any, **kw: Any) -> str:
        """Render text."""
        name = "STRING" if type_.length is None else f"STRING({type_.length})"
        return name if type_.collation is None else f'{name} COLLATE "{type_.collation}"'


class CockroachIdentifierPreparer(PGIdentifierPreparer):
    """Quotes CockroachDB's reserved words too."""

    # CockroachDB's documentation, "Keywords & identifiers": reserved there and not in PostgreSQL.
    reserved_words = PGIdentifierPreparer.reserved_words | {
        "family",
        "index",
        "nothing",
        "role",
        "virtual",
        "work",
    }
