"""The queries of reflection: few, flat, and for any number of tables at once.

They read pg_catalog and information_schema as CockroachDB fills them (its pkg/sql/pg_catalog.go and
information_schema.go). What PostgreSQL's dialect asks for beyond that (pg_opclass, indnullsnotdistinct,
access methods of tables) is empty or missing there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import OID
from sqlalchemy.sql.elements import TextClause

__all__ = [
    "ATTRIBUTES",
    "COLUMNS",
    "CONSTRAINTS",
    "ENUMS",
    "INDEXES",
    "INDEX_EXPRESSIONS",
    "SEQUENCES",
    "TABLES_BY_OID",
    "relations",
]

# Schemas of the system's own, also when they are in the search path: pg_extension has PostGIS's tables.
_SYSTEM = "'pg_catalog', 'information_schema', 'crdb_internal', 'pg_extension'"

_RELATIONS = """
SELECT c.oid, c.relname AS name, n.nspname AS schema, CAST(c.relkind AS TEXT) AS kind,
       c.reloptions AS options, d.description AS comment
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = CAST('pg_catalog.pg_class' AS REGCLASS)
WHERE c.relkind IN :kinds
"""


def relations(schema: str | None, names: Any, kinds: list[str], persistence: str | None) -> TextClause:
    """Return the query for tables, views and sequences: visible ones, or those of a schema.

    `persistence` is "=" for temporary ones only, "<>" for the others only.
    """
    query = _RELATIONS
    binds: list[Any] = [bindparam("kinds", expanding=True)]
    values: dict[str, Any] = {"kinds": kinds}
    if schema is None:
        query += f"AND pg_catalog.pg_table_is_visible(c.oid) AND n.nspname NOT IN ({_SYSTEM})\n"
    else:
        query += "AND n.nspname = :schema\n"
        values["schema"] = schema
    if names:
        query += "AND c.relname IN :names\n"
        binds.append(bindparam("names", expanding=True))
        values["names"] = list(names)
    if persistence is not None:
        query += f"AND c.relpersistence {persistence} 't'\n"
    return text(query + "ORDER BY c.relname").bindparams(*binds).bindparams(**values)


def _by_oids(query: str) -> TextClause:
    return text(query).bindparams(bindparam("oids", expanding=True, type_=OID))


# Enum types are known by their oid: an element's where the column is an array.
ATTRIBUTES = _by_oids(
    """
SELECT a.attrelid AS relation, a.attnum AS number, a.attname AS name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS format_type,
       a.attnotnull AS not_null, CAST(a.attgenerated AS TEXT) AS generated,
       pg_catalog.pg_get_expr(f.adbin, f.adrelid) AS default_text,
       d.description AS comment,
       CASE WHEN t.typtype = 'e' THEN t.oid WHEN e.typtype = 'e' THEN e.oid END AS enum,
       CASE WHEN t.typtype = 'e' THEN t.typname ELSE e.typname END AS enum_name,
       n.nspname AS enum_schema,
       e.oid IS NOT NULL AS is_array
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND e.typtype = 'e'
LEFT JOIN pg_catalog.pg_namespace AS n
    ON n.oid = CASE WHEN t.typtype = 'e' THEN t.typnamespace ELSE e.typnamespace END
LEFT JOIN pg_catalog.pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = a.attrelid AND d.objsubid = a.attnum
    AND d.classoid = CAST('pg_catalog.pg_class' AS REGCLASS)
WHERE a.attrelid IN :oids AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
)

# What only CockroachDB's information schema has: types with all their arguments, and hidden columns.
COLUMNS = text(
    """
SELECT table_name, column_name, crdb_sql_type, is_hidden, collation_name,
       identity_generation, identity_start, identity_increment, identity_minimum, identity_maximum,
       identity_cycle
FROM information_schema.columns
WHERE table_schema = :schema AND table_name IN :names
"""
).bindparams(bindparam("names", expanding=True))

ENUMS = _by_oids(
    """
SELECT enumtypid AS type, enumlabel AS label
FROM pg_catalog.pg_enum WHERE enumtypid IN :oids ORDER BY enumtypid, enumsortorder
"""
)

# CockroachDB's pg_depend has the sequences that columns own.
SEQUENCES = _by_oids(
    """
SELECT d.refobjid AS relation, d.refobjsubid AS number, s.seqcache AS cache
FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = d.objid
WHERE d.refobjid IN :oids AND d.refobjsubid > 0
"""
)

CONSTRAINTS = _by_oids(
    """
SELECT c.conrelid AS relation, c.conname AS name, CAST(c.contype AS TEXT) AS kind,
       c.conkey AS columns, c.confrelid AS target, c.confkey AS target_columns,
       CAST(c.confupdtype AS TEXT) AS on_update, CAST(c.confdeltype AS TEXT) AS on_delete,
       CAST(c.confmatchtype AS TEXT) AS match, c.condeferrable AS deferrable, c.condeferred AS deferred,
       c.convalidated AS validated, pg_catalog.pg_get_constraintdef(c.oid) AS definition,
       d.description AS comment, c.conindid AS index_oid
FROM pg_catalog.pg_constraint AS c
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.classoid = CAST('pg_catalog.pg_constraint' AS REGCLASS)
WHERE c.conrelid IN :oids AND c.contype IN ('p', 'u', 'f', 'c')
ORDER BY c.conrelid, c.conname
"""
)

TABLES_BY_OID = _by_oids(
    """
SELECT c.oid, c.relname AS name, n.nspname AS schema, pg_catalog.pg_table_is_visible(c.oid) AS visible
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid IN :oids
"""
)

INDEXES = _by_oids(
    """
SELECT i.indrelid AS relation, i.indexrelid AS index_oid, c.relname AS name, i.indisunique AS is_unique,
       i.indisprimary AS is_primary, CAST(i.indkey AS TEXT) AS columns, i.indnkeyatts AS keys,
       CAST(i.indoption AS TEXT) AS options, m.amname AS method,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate,
       pg_catalog.pg_get_indexdef(i.indexrelid) AS definition
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
WHERE i.indrelid IN :oids
ORDER BY i.indrelid, c.relname
"""
)

INDEX_EXPRESSIONS = text(
    """
SELECT i.indexrelid AS index_oid, k.number AS number,
       pg_catalog.pg_get_indexdef(i.indexrelid, CAST(k.number AS INT4), true) AS element
FROM pg_catalog.pg_index AS i, generate_series(1, :width) AS k (number)
WHERE i.indexrelid IN :oids AND k.number <= i.indnkeyatts
"""
).bindparams(bindparam("oids", expanding=True, type_=OID))
