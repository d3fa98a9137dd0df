-- information_schema.columns with the columns CockroachDB adds, expressions in its form, and the hidden
-- rowid of a table without a primary key; statements that name the one are sent to the other.
CREATE OR REPLACE VIEW crdb_internal.columns AS
SELECT
  c.table_catalog, c.table_schema, c.table_name, c.column_name, c.ordinal_position,
  crdb_internal.shown_default(a.attrelid, c.column_name, crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage),
    c.column_default, a.attgenerated, a.attidentity)::information_schema.character_data
    COLLATE "C" AS column_default,
  c.is_nullable,
  -- Its own columns are STRING in CockroachDB, where PostgreSQL has a domain over name.
  (CASE WHEN c.data_type = 'name' AND c.table_schema = 'information_schema' THEN 'text'
        ELSE c.data_type END)::information_schema.character_data AS data_type,
  c.character_maximum_length, c.character_octet_length, c.numeric_precision,
  c.numeric_precision_radix, c.numeric_scale, c.datetime_precision, c.interval_type,
  c.interval_precision, c.character_set_catalog, c.character_set_schema, c.character_set_name,
  c.collation_catalog, c.collation_schema, c.collation_name, c.domain_catalog, c.domain_schema,
  c.domain_name, c.udt_catalog, c.udt_schema, c.udt_name, c.scope_catalog, c.scope_schema,
  c.scope_name, c.maximum_cardinality, c.dtd_identifier, c.is_self_referencing, c.is_identity,
  c.identity_generation, c.identity_start, c.identity_increment, c.identity_maximum,
  c.identity_minimum, c.identity_cycle, c.is_generated,
  crdb_internal.shown_expression(c.generation_expression, a.attrelid,
    crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage), '')::information_schema.character_data
    COLLATE "C" AS generation_expression,
  c.is_updatable,
  'NO'::pg_catalog.text AS is_hidden,
  -- The collation this column has had from the start: a view cannot change it.
  crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage) COLLATE "C" AS crdb_sql_type,
  pg_catalog.col_description(a.attrelid, a.attnum) AS column_comment
FROM information_schema.columns c
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = pg_catalog.to_regclass(pg_catalog.quote_ident(c.table_schema) || '.'
                                         || pg_catalog.quote_ident(c.table_name))
  AND a.attname = c.column_name
UNION ALL
SELECT (r.c).*, 'YES', 'INT8', NULL::pg_catalog.text
FROM (
  SELECT ROW(
    pg_catalog.current_database(), n.nspname, t.relname, 'rowid',
    t.relnatts + 1, 'unique_rowid()', 'NO', 'bigint',
    NULL, NULL, 64, 2, 0, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    pg_catalog.current_database(), 'pg_catalog', 'int8',
    NULL, NULL, NULL, NULL, 'rowid', 'NO', 'NO', NULL, NULL, NULL, NULL, NULL, NULL,
    'NEVER', NULL, 'YES'
  )::information_schema.columns AS c
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')
    AND n.nspname !~ '^pg_(toast|temp)'
    AND pg_catalog.has_table_privilege(t.oid, 'SELECT')
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
                    WHERE k.conrelid = t.oid AND k.contype = 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = t.oid AND a.attname = 'rowid')
  OFFSET 0
) AS r;
GRANT SELECT ON crdb_internal.columns TO PUBLIC;
