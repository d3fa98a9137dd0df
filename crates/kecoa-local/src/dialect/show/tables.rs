//! Tables and what belongs to them: columns, indexes, constraints, sequences, enumerations.

pub(super) fn tables(schema: &str, comment: bool) -> String {
    let comment =
        if comment { ", pg_catalog.obj_description(c.oid, 'pg_class') AS comment" } else { "" };
    format!(
        "SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, \
         CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
         WHEN 'S' THEN 'sequence' ELSE 'table' END AS type, r.rolname::text AS owner, \
         greatest(c.reltuples, 0)::int8 AS estimated_row_count, NULL::text AS locality{comment} \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_roles r ON r.oid = c.relowner \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname {schema} ORDER BY 1, 2"
    )
}

/// CockroachDB's name of a column's type.
const TYPE: &str = "crdb_internal.sql_type(a.atttypid, a.atttypmod)";

const DEFAULT: &str = "pg_catalog.pg_get_expr(d.adbin, d.adrelid)";

pub(super) fn columns(table: &str, comment: bool) -> String {
    let comment =
        if comment { ", pg_catalog.col_description(a.attrelid, a.attnum) AS comment" } else { "" };
    format!(
        "SELECT a.attname::text AS column_name, {TYPE} AS data_type, \
         NOT a.attnotnull AS is_nullable, \
         CASE WHEN a.attgenerated = '' THEN {DEFAULT} END AS column_default, \
         CASE WHEN a.attgenerated <> '' THEN {DEFAULT} ELSE '' END AS generation_expression, \
         ARRAY(SELECT x.relname::text FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = a.attrelid \
         AND a.attnum = ANY (i.indkey) ORDER BY 1) AS indices, false AS is_hidden{comment} \
         FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d \
         ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attrelid = {table} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
}

pub(super) fn indexes(table: &str) -> String {
    format!(
        "SELECT t.relname::text AS table_name, x.relname::text AS index_name, \
         NOT i.indisunique AS non_unique, s.n::int8 AS seq_in_index, \
         coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, s.n, true)) \
         AS column_name, \
         coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, s.n, true)) \
         AS definition, \
         CASE WHEN s.n > i.indnkeyatts THEN 'N/A' \
         WHEN pg_catalog.pg_index_column_has_property(i.indexrelid, s.n, 'desc') THEN 'DESC' \
         ELSE 'ASC' END AS direction, s.n > i.indnkeyatts AS storing, false AS implicit, \
         true AS visible, 1::float8 AS visibility \
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid \
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
         CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnatts) AS s(n) \
         LEFT JOIN pg_catalog.pg_attribute a \
         ON a.attrelid = i.indrelid AND a.attnum = i.indkey[s.n - 1] AND a.attnum > 0 \
         WHERE i.indrelid = {table} ORDER BY 2, 4"
    )
}

pub(super) fn constraints(table: &str) -> String {
    format!(
        "SELECT t.relname::text AS table_name, k.conname::text AS constraint_name, \
         CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' \
         WHEN 'f' THEN 'FOREIGN KEY' WHEN 'c' THEN 'CHECK' ELSE 'OTHER' END AS constraint_type, \
         pg_catalog.pg_get_constraintdef(k.oid) AS details, k.convalidated AS validated \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class t ON t.oid = k.conrelid \
         WHERE k.conrelid = {table} AND k.contype <> 'n' ORDER BY 2"
    )
}

pub(super) fn create_table(table: &str) -> String {
    format!(
        "SELECT c.relname::text AS table_name, CASE c.relkind \
         WHEN 'v' THEN 'CREATE VIEW ' || q.name || ' AS ' || pg_catalog.pg_get_viewdef(c.oid) \
         WHEN 'S' THEN 'CREATE SEQUENCE ' || q.name \
         ELSE 'CREATE TABLE ' || q.name || E' (\\n\\t' || pg_catalog.array_to_string(\
         ARRAY(SELECT pg_catalog.quote_ident(a.attname) || ' ' || {TYPE} \
         || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE ' NULL' END \
         || CASE a.attgenerated WHEN 's' THEN ' AS (' || {DEFAULT} || ') STORED' \
         WHEN 'v' THEN ' AS (' || {DEFAULT} || ') VIRTUAL' \
         ELSE coalesce(' DEFAULT ' || {DEFAULT}, '') END \
         FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d \
         ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) \
         || ARRAY(SELECT 'CONSTRAINT ' || pg_catalog.quote_ident(k.conname) || ' ' \
         || pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k \
         WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f', 'c', 'u') \
         ORDER BY pg_catalog.strpos('pfuc', k.contype::text), k.conname) \
         || ARRAY(SELECT pg_catalog.regexp_replace(crdb_internal.index_definition(i.indexrelid), \
         '^CREATE (UNIQUE )?INDEX (.*) ON .* USING (btree )?(gin|hash)? ?\\(', \
         '\\1INDEX \\2 (') \
         FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT 1 \
         FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid \
         AND k.contype IN ('p', 'u', 'x')) ORDER BY 1), E',\\n\\t') || E'\\n)' END \
         AS create_statement FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         CROSS JOIN LATERAL (SELECT pg_catalog.quote_ident(n.nspname) || '.' \
         || pg_catalog.quote_ident(c.relname)) AS q(name) WHERE c.oid = {table}"
    )
}

pub(super) fn create_indexes(table: &str, secondary: bool) -> String {
    format!(
        "SELECT x.relname::text AS index_name, \
         crdb_internal.index_definition(x.oid) AS create_statement FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = {table}{} \
         ORDER BY 1",
        if secondary { " AND NOT i.indisprimary" } else { "" }
    )
}

pub(super) const SEQUENCES: &str = "SELECT schemaname::text AS sequence_schema, \
    sequencename::text AS sequence_name FROM pg_catalog.pg_sequences ORDER BY 1, 2";

pub(super) const ENUMS: &str = "SELECT n.nspname::text AS schema, t.typname::text AS name, \
    ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid \
    ORDER BY e.enumsortorder) AS values, r.rolname::text AS owner FROM pg_catalog.pg_type t \
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    JOIN pg_catalog.pg_roles r ON r.oid = t.typowner WHERE t.typtype = 'e' ORDER BY 1, 2";
