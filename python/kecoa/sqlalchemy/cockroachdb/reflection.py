"""Reflection: what CockroachDB's catalogs say, in the form that SQLAlchemy's inspector gives.

Each method takes any number of tables, and asks once for all of them; the answers are shared through the
inspector's cache, so that `MetaData.reflect()` takes about ten queries whatever the number of tables.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy.dialects.postgresql import ARRAY, ENUM
from sqlalchemy.engine import Connection, reflection
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope, ReflectionDefaults

from kecoa.sqlalchemy.cockroachdb import catalog
from kecoa.sqlalchemy.cockroachdb.catalog_rows import (
    foreign_key_options,
    identity_of,
    index_of,
    integers,
    is_hidden,
    is_index_alone,
    with_schema,
    without_outer_parentheses,
)
from kecoa.sqlalchemy.cockroachdb.types import type_of

__all__ = ["Reflection"]

_BATCH = 1000  # oids in one query
_KINDS = {ObjectKind.TABLE: ["r", "p"], ObjectKind.VIEW: ["v"], ObjectKind.MATERIALIZED_VIEW: ["m"]}
_SHARD = re.compile(r"crdb_internal_.+_shard_(\d+)")
_CHECK = re.compile(r"CHECK *\((.+)\)( NO INHERIT)?( NOT VALID)?", re.DOTALL)
_ARGUMENTS = re.compile(r"\(([\d, ]+)\)")
_SCHEMA_LOCKED = "schema_locked"


class Reflection:
    """The part of the dialect that reads the schema. Its base is SQLAlchemy's PGDialect."""

    default_schema_name: str | None

    # Relations.

    def _relations(
        self,
        connection: Connection,
        schema: str | None,
        names: Any,
        scope: ObjectScope,
        kind: ObjectKind,
        kw: Any,
    ) -> list[Any]:
        kinds = [letter for each, letters in _KINDS.items() if each in kind for letter in letters]
        return self._select_relations(connection, schema, names, kinds, scope, kw.get("info_cache"))

    def _select_relations(
        self,
        connection: Connection,
        schema: Any,
        names: Any,
        kinds: list[str],
        scope: ObjectScope,
        cache: Any,
    ) -> list[Any]:
        persistence = {ObjectScope.DEFAULT: "<>", ObjectScope.TEMPORARY: "="}.get(scope)
        key = ("kecoa relations", schema, tuple(names or ()), tuple(kinds), persistence)
        query = catalog.relations(schema, names, kinds, persistence)
        found: list[Any] = _cached(cache, key, lambda: list(connection.execute(query)))
        return found

    def _names_of(
        self, connection: Connection, schema: str | None, kinds: list[str], scope: ObjectScope, kw: Any
    ) -> list[str]:
        rows = self._select_relations(connection, schema, None, kinds, scope, kw.get("info_cache"))
        return [row.name for row in rows]

    @reflection.cache
    def get_table_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        """Return the names of tables; views are not among them."""
        return self._names_of(connection, schema, ["r", "p"], ObjectScope.DEFAULT, kw)

    @reflection.cache
    def get_temp_table_names(self, connection: Connection, **kw: Any) -> list[str]:
        """Return the names of temporary tables."""
        return self._names_of(connection, None, ["r", "p"], ObjectScope.TEMPORARY, kw)

    @reflection.cache
    def get_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        """Return the names of views; materialized ones are not among them."""
        return self._names_of(connection, schema, ["v"], ObjectScope.DEFAULT, kw)

    @reflection.cache
    def get_temp_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        """Return the names of temporary views."""
        return self._names_of(connection, schema, ["v"], ObjectScope.TEMPORARY, kw)

    @reflection.cache
    def get_materialized_view_names(
        self, connection: Connection, schema: str | None = None, **kw: Any
    ) -> list[str]:
        """Return the names of materialized views."""
        return self._names_of(connection, schema, ["m"], ObjectScope.DEFAULT, kw)

    @reflection.cache
    def get_sequence_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        """Return the names of sequences."""
        return self._names_of(connection, schema, ["S"], ObjectScope.ANY, kw)

    @reflection.cache
    def get_schema_names(self, connection: Connection, **kw: Any) -> list[str]:
        """Return the names of schemas, without those of CockroachDB's internals."""
        names: list[str] = super().get_schema_names(connection, **kw)  # type: ignore[misc]
        return [name for name in names if name != "crdb_internal"]

    # What is known of a set of relations.

    def _rows(self, connection: Connection, query: Any, oids: Iterable[int], cache: Any) -> list[Any]:
        wanted = sorted(set(oids))
        if not wanted:
            return []

        def run() -> list[Any]:
            found: list[Any] = []
            for at in range(0, len(wanted), _BATCH):
                found += connection.execute(query, {"oids": wanted[at : at + _BATCH]})
            return found

        rows: list[Any] = _cached(cache, ("kecoa rows", id(query), tuple(wanted)), run)
        return rows

    def _attributes(
        self, connection: Connection, oids: Iterable[int], cache: Any
    ) -> dict[int, dict[int, Any]]:
        """Return the rows of columns by relation and number."""
        found: dict[int, dict[int, Any]] = defaultdict(dict)
        for row in self._rows(connection, catalog.ATTRIBUTES, oids, cache):
            found[row.relation][row.number] = row
        return found

    def _details(
        self, connection: Connection, relations: list[Any], cache: Any
    ) -> dict[tuple[str, str, str], Any]:
        """Return the rows of information_schema.columns by schema, table and column."""
        names: dict[str, list[str]] = defaultdict(list)
        for relation in relations:
            names[relation.schema].append(relation.name)
        found = {}
        for schema, tables in names.items():
            rows = _cached(
                cache,
                ("kecoa columns", schema, tuple(tables)),
                lambda schema=schema, tables=tables: list(
                    connection.execute(catalog.COLUMNS, {"schema": schema, "names": tables})
                ),
            )
            for row in rows:
                found[schema, row.table_name, row.column_name] = row
        return found

    def _constraints(
        self, connection: Connection, relations: list[Any], kind: str, cache: Any
    ) -> dict[int, list[Any]]:
        found = defaultdict(list)
        for row in self._rows(connection, catalog.CONSTRAINTS, [r.oid for r in relations], cache):
            if row.kind == kind:
                found[row.relation].append(row)
        return found

    # Columns.

    def get_multi_columns(
        self, connection: Connection, schema: Any, filter_names: Any, scope: Any, kind: Any, **kw: Any
    ) -> Any:
        """Return columns; hidden ones only with `include_hidden=True`."""
        cache = kw.get("info_cache")
        relations = self._relations(connection, schema, filter_names, scope, kind, kw)
        attributes = self._attributes(connection, [relation.oid for relation in relations], cache)
        details = self._details(connection, relations, cache)
        enums = self._enums(connection, attributes, cache)
        caches = self._sequence_caches(connection, relations, details, cache)
        found = {}
        for relation in relations:
            columns = []
            for row in attributes.get(relation.oid, {}).values():
                detail = details.get((relation.schema, relation.name, row.name))
                hidden = is_hidden(detail)
                if hidden and not kw.get("include_hidden"):
                    continue
                column = self._column(row, detail, enums, schema)
                if "identity" in column:
                    column["identity"]["cache"] = caches.get((relation.oid, row.number), 1)
                if kw.get("include_hidden"):
                    column["is_hidden"] = hidden
                columns.append(column)
            found[schema, relation.name] = columns or ReflectionDefaults.columns()
        return found.items()

    def _enums(
        self, connection: Connection, attributes: dict[int, dict[int, Any]], cache: Any
    ) -> dict[int, list[str]]:
        oids = {row.enum for rows in attributes.values() for row in rows.values() if row.enum is not None}
        labels: dict[int, list[str]] = defaultdict(list)
        for row in self._rows(connection, catalog.ENUMS, oids, cache):
            labels[row.type].append(row.label)
        return labels

    def _sequence_caches(
        self,
        connection: Connection,
        relations: list[Any],
        details: dict[tuple[str, str, str], Any],
        cache: Any,
    ) -> dict[tuple[int, int], int]:
        """Return how many values a session takes at once from an identity column, by table and column."""
        with_identity = {key[:2] for key, detail in details.items() if detail.identity_generation}
        oids = [relation.oid for relation in relations if (relation.schema, relation.name) in with_identity]
        return {
            (row.relation, row.number): row.cache
            for row in self._rows(connection, catalog.SEQUENCES, oids, cache)
        }

    def _column(
        self, row: Any, detail: Any, enums: dict[int, list[str]], schema: str | None
    ) -> dict[str, Any]:
        identity = identity_of(detail)
        computed = row.generated in ("s", "v")
        default = None if computed or identity else row.default_text
        sequence = default is not None and re.search(r"\bnextval\('|\bunique_rowid\(\)", default) is not None
        column: dict[str, Any] = {
            "name": row.name,
            "type": self._type(row, detail, enums),
            "nullable": not row.not_null,
            "default": with_schema(default, schema),
            "autoincrement": sequence or identity is not None,
            "comment": row.comment,
        }
        if computed:
            column["computed"] = {"sqltext": row.default_text, "persisted": row.generated == "s"}
        if identity is not None:
            column["identity"] = identity
        return column

    def _type(self, row: Any, detail: Any, enums: dict[int, list[str]]) -> Any:
        if row.enum is not None:
            schema = row.enum_schema if row.enum_schema != self.default_schema_name else None
            # Its type exists already: creating a table from what was reflected does not create it again.
            enum = ENUM(*enums[row.enum], name=row.enum_name, schema=schema)
            return ARRAY(enum) if row.is_array else enum
        arguments = _ARGUMENTS.search(row.format_type or "")
        name = detail.crdb_sql_type if detail is not None else row.format_type
        return type_of(name, arguments and arguments[1])

    # Constraints.

    def _column_names(self, rows: dict[int, Any], numbers: Any) -> list[str]:
        return [rows[number].name for number in integers(numbers) if number in rows]

    def get_multi_pk_constraint(
        self, connection: Connection, schema: Any, filter_names: Any, scope: Any, kind: Any, **kw: Any
    ) -> Any:
        """Return primary keys; none where the key is the hidden rowid."""
        cache = kw.get("info_cache")
        relations = self._relations(connection, schema, filter_names, scope, kind, kw)
        attributes = self._attributes(connection, [relation.oid for relation in relations], cache)
        details = self._details(connection, relations, cache)
        constraints = self._constraints(connection, relations, "p", cache)
        found: dict[Any, Any] = {}
        for relation in relations:
            found[schema, relation.name] = ReflectionDefaults.pk_constraint()
            for row in constraints[relation.oid]:
                names = self._column_names(attributes[relation.oid], row.columns)
                visible = [
                    name
                    for name in names
                    if not is_hidden(details.get((relation.schema, relation.name, name)))
                ]
                if not visible:
                    continue
                key: dict[str, Any] = {
                    "constrained_columns": visible,
                    "name": row.name,
                    "comment": row.comment,
                }
                shard = next(filter(None, map(_SHARD.fullmatch, names)), None)
                if shard is not None:
                    key["dialect_options"] = {"cockroachdb_hash": int(shard[1])}
                found[schema, relation.name] = key
        return found.items()

    def get_multi_unique_constraints(
        self, connection: Connection, schema: Any, filter_names: Any, scope: Any, kind: Any, **kw: Any
    ) -> Any:
        """Return unique constraints. CockroachDB has one for each unique index, and the other way round."""
        cache = kw.get("info_cache")
        relations = self._relations(connection, schema, filter_names, scope, kind, kw)
        attributes = self._attributes(connection, [relation.oid for relation in relations], cache)
        constraints = self._constraints(connection, relations, "u", cache)
        found = {}
        for relation in relations:
            found[schema, relation.name] = [
                {
                    "name": row.name,
                    "column_names": [
                        name
                        for name in self._column_names(attributes[relation.oid], row.columns)
                        if not _SHARD.fullmatch(name)
                    ],
                    "comment": row.comment,
                }
                for row in constraints[relation.oid]
                if not is_index_alone(row.definition)
            ] or ReflectionDefaults.unique_constraints()
        return found.items()

    def get_multi_check_constraints(
        self, connection: Connection, schema: Any, filter_names: Any, scope: Any, kind: Any, **kw: Any
    ) -> Any:
        """Return check constraints, without those that hash-sharded indexes make."""
        cache = kw.get("info_cache")
        relations = self._relations(connection, schema, filter_names, scope, kind, kw)
        constraints = self._constraints(connection, relations, "c", cache)
        found = {}
        for relation in relations:
            checks = []
            for row in constraints[relation.oid]:
                if row.name.startswith("check_crdb_internal_"):
                    continue
                match = _CHECK.fullmatch(row.definition)
                check = {
                    "name": row.name,
                    "sqltext": without_outer_parentheses(match[1]) if match else row.definition,
                    "comment": row.comment,
                }
                if not row.validated:
                    check["dialect_options"] = {"not_valid": True}
                checks.append(check)
            found[schema, relation.name] = checks or ReflectionDefaults.check_constraints()
        return found.items()

    def get_multi_foreign_keys(
        self,
        connection: Connection,
        schema: Any,
        filter_names: Any,
        scope: Any,
        kind: Any,
        postgresql_ignore_search_path: bool = False,
        **kw: Any,
    ) -> Any:
        """Return foreign keys."""
        cache = kw.get("info_cache")
        relations = self._relations(connection, schema, filter_names, scope, kind, kw)
        constraints = self._constraints(connection, relations, "f", cache)
        targets = {row.target for rows in constraints.values() for row in rows}
        tables = {row.oid: row for row in self._rows(connection, catalog.TABLES_BY_OID, targets, cache)}
        attributes = self._attributes(connection, [relation.oid for relation in relations], cache)
        missing = targets - attributes.keys()
        attributes.update(self._attributes(connection, missing, cache))
        found = {}
        for relation in relations:
            keys = []
            for row in constraints[relation.oid]:
                target = tables[row.target]
                visible = target.visible and not postgresql_ignore_search_path
                keys.append(
                    {
                        "name": row.name,
                        "constrained_columns": self._column_names(attributes[relation.oid], row.columns),
                        "referred_schema": None if visible and target.schema != schema else target.schema,
                        "referred_table": target.name,
                        "referred_columns": self._column_names(attributes[row.target], row.target_columns),
                        "options": foreign_key_options(row),
                        "comment": row.comment,
                    }
                )
            found[schema, relation.name] = keys or ReflectionDefaults.foreign_keys()
        return found.items()

    # Indexes.

    def get_multi_indexes(
        self, connection: Connection, schema: Any, filter_names: Any, scope: Any, kind: Any, **kw: Any
    ) -> Any:
        """Return indexes but the primary one.

        NULLs come first in ascending and last in descending order, which is not repeated for each.
        """
        cache = kw.get("info_cache")
        relations = self._relations(connection, schema, filter_names, scope, kind, kw)
        oids = [relation.oid for relation in relations]
        attributes = self._attributes(connection, oids, cache)
        constraints = self._constraints(connection, relations, "u", cache)
        rows = defaultdict(list)
        for row in self._rows(connection, catalog.INDEXES, oids, cache):
            if not row.is_primary:
                rows[row.relation].append(row)
        expressions = self._expressions(connection, [row for each in rows.values() for row in each])
        found = {}
        for relation in relations:
            unique = {
                row.index_oid for row in constraints[relation.oid] if not is_index_alone(row.definition)
            }
            found[schema, relation.name] = [
                index_of(row, attributes[relation.oid], expressions, row.index_oid in unique)
                for row in rows[relation.oid]
            ] or ReflectionDefaults.indexes()
        return found.items()

    def _expressions(self, connection: Connection, rows: list[Any]) -> dict[tuple[int, int], str]:
        """Return the text of elements that are no columns, by index and place from 0."""
        wanted = [row for row in rows if 0 in integers(row.columns)]
        if not wanted:
            return {}
        found = connection.execute(
            catalog.INDEX_EXPRESSIONS,
            {"oids": [row.index_oid for row in wanted], "width": max(row.keys for row in wanted)},
        )
        return {(row.index_oid, row.number - 1): row.element for row in found}

    # Tables.

    def get_multi_table_comment(
        self, connection: Connection, schema: Any, filter_names: Any, scope: Any, kind: Any, **kw: Any
    ) -> Any:
        """Return comments of tables."""
        for relation in self._relations(connection, schema, filter_names, scope, kind, kw):
            text = {"text": relation.comment} if relation.comment is not None else None
            yield (schema, relation.name), text or ReflectionDefaults.table_comment()

    @reflection.cache
    def get_table_options(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        """Return the options of one table. SQLAlchemy 2.0's PostgreSQL dialect has none."""
        found = self.get_multi_table_options(
            connection, schema, [table_name], ObjectScope.ANY, ObjectKind.ANY, **kw
        )
        return self._value_or_raise(found, table_name, schema)  # type: ignore[attr-defined]

    def get_multi_table_options(
        self, connection: Connection, schema: Any, filter_names: Any, scope: Any, kind: Any, **kw: Any
    ) -> Any:
        """Return storage parameters as `cockroachdb_with`, without schema_locked, which is the default."""
        for relation in self._relations(connection, schema, filter_names, scope, kind, kw):
            pairs = dict(option.split("=", 1) for option in relation.options or ())
            pairs.pop(_SCHEMA_LOCKED, None)
            options = {"cockroachdb_with": pairs} if pairs else ReflectionDefaults.table_options()
            yield (schema, relation.name), options


def _cached(cache: Any, key: Any, run: Any) -> Any:
    if cache is None:
        return run()
    if key not in cache:
        cache[key] = run()
    return cache[key]
