-- information_schema: constraints. A unique index is a constraint in CockroachDB, NOT NULL is a check, and a table
-- without a primary key has one on its hidden rowid.
CREATE OR REPLACE VIEW crdb_internal.listed_constraints AS
SELECT n.oid AS schema_id, n.nspname::text AS table_schema, t.oid AS table_id, t.relname::text AS table_name,
  k.id, k.name, k.kind, k.columns, k.referenced_table, k.referenced_columns, k.index_id
FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
  SELECT c.oid, c.conname::text, c.contype, c.conkey, c.confrelid, c.confkey, c.conindid
  FROM pg_catalog.pg_constraint c WHERE c.conrelid = t.oid AND c.contype IN ('p', 'u', 'f', 'c')
  UNION ALL
  SELECT x.oid, x.relname::text, 'u'::"char", (i.indkey::int2[])[0:i.indnkeyatts - 1], 0::oid, NULL, x.oid
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  WHERE i.indrelid = t.oid AND i.indisunique AND NOT EXISTS (
    SELECT 1 FROM pg_catalog.pg_constraint o
    WHERE o.conrelid = t.oid AND o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
  UNION ALL
  SELECT 0::oid, crdb_internal.hidden_key_name(t.oid), 'p'::"char", '{32767}'::int2[], 0::oid, NULL, 0::oid
  WHERE t.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'rowid')
) AS k(id, name, kind, columns, referenced_table, referenced_columns, index_id)
WHERE t.relkind IN ('r', 'p') AND crdb_internal.is_listed(n.oid, n.nspname)
  AND crdb_internal.may_see(t.oid, t.relowner);

-- A column of a constraint by its number: the hidden rowid has none, an expression has a column of its own.
CREATE OR REPLACE FUNCTION crdb_internal.listed_column(tab oid, number int2) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE number WHEN 32767 THEN 'rowid' WHEN 0 THEN 'crdb_internal_idx_expr'
    ELSE (SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = tab AND a.attnum = number) END
$$;

-- NOT NULL, with the names that it has there.
CREATE OR REPLACE VIEW crdb_internal.listed_not_nulls AS
SELECT n.nspname::text AS table_schema, t.relname::text AS table_name,
  pg_catalog.concat_ws('_', n.oid, t.oid, a.number, 'not_null') AS name, a.name AS column_name
FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
  SELECT a.attnum, a.attname::text FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = t.oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped
  UNION ALL
  SELECT t.relnatts + 1, 'rowid'
  WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'rowid')
) AS a(number, name)
WHERE t.relkind IN ('r', 'p') AND crdb_internal.is_listed(n.oid, n.nspname)
  AND crdb_internal.may_see(t.oid, t.relowner);

CALL crdb_internal.replace_view('information_schema', 'table_constraints', $view$
SELECT d.name AS constraint_catalog, k.table_schema AS constraint_schema, k.name AS constraint_name,
  d.name AS table_catalog, k.table_schema, k.table_name,
  CASE k.kind WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' WHEN 'f' THEN 'FOREIGN KEY' ELSE 'CHECK' END
    AS constraint_type,
  'NO'::text AS is_deferrable, 'NO'::text AS initially_deferred
FROM (
  SELECT table_schema, table_name, name, kind FROM crdb_internal.listed_constraints
  UNION ALL
  SELECT table_schema, table_name, name, 'c'::"char" FROM crdb_internal.listed_not_nulls
) AS k, (SELECT pg_catalog.current_database()::text) AS d(name)
$view$);

CALL crdb_internal.replace_view('information_schema', 'check_constraints', $view$
SELECT d.name AS constraint_catalog, k.table_schema AS constraint_schema, k.name AS constraint_name, k.clause AS check_clause
FROM (
  SELECT c.table_schema, c.name, '((' || crdb_internal.shown_expression(
      pg_catalog.pg_get_expr(o.conbin, o.conrelid), o.conrelid, NULL, ':::') || '))'
  FROM crdb_internal.listed_constraints c JOIN pg_catalog.pg_constraint o ON o.oid = c.id WHERE c.kind = 'c'
  UNION ALL
  SELECT table_schema, name, column_name || ' IS NOT NULL' FROM crdb_internal.listed_not_nulls
) AS k(table_schema, name, clause), (SELECT pg_catalog.current_database()::text) AS d(name)
$view$);

CALL crdb_internal.replace_view('information_schema', 'key_column_usage', $view$
SELECT d.name AS constraint_catalog, k.table_schema AS constraint_schema, k.name AS constraint_name,
  d.name AS table_catalog, k.table_schema, k.table_name, crdb_internal.listed_column(k.table_id, u.number) AS column_name,
  u.place AS ordinal_position,
  CASE k.kind WHEN 'f' THEN u.place END AS position_in_unique_constraint
FROM crdb_internal.listed_constraints k
CROSS JOIN LATERAL pg_catalog.unnest(k.columns) WITH ORDINALITY AS u(number, place),
  (SELECT pg_catalog.current_database()::text) AS d(name)
WHERE k.kind IN ('p', 'u', 'f')
$view$);

-- A foreign key uses the columns it refers to.
CALL crdb_internal.replace_view('information_schema', 'constraint_column_usage', $view$
SELECT d.name AS table_catalog, coalesce(rn.nspname::text, k.table_schema) AS table_schema,
  coalesce(r.relname::text, k.table_name) AS table_name,
  crdb_internal.listed_column(CASE k.kind WHEN 'f' THEN k.referenced_table ELSE k.table_id END, u.number) AS column_name,
  d.name AS constraint_catalog, k.table_schema AS constraint_schema, k.name AS constraint_name
FROM crdb_internal.listed_constraints k
LEFT JOIN pg_catalog.pg_class r ON r.oid = k.referenced_table AND k.kind = 'f'
LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
CROSS JOIN LATERAL pg_catalog.unnest(CASE k.kind WHEN 'f' THEN k.referenced_columns ELSE k.columns END) AS u(number),
  (SELECT pg_catalog.current_database()::text) AS d(name)
$view$);

-- With the two tables of a foreign key: its name is a table's own, not the schema's.
CALL crdb_internal.replace_view('information_schema', 'referential_constraints', $view$
SELECT d.name AS constraint_catalog, l.table_schema AS constraint_schema, l.name AS constraint_name,
  d.name AS unique_constraint_catalog, tn.nspname::text AS unique_constraint_schema,
  coalesce(x.relname::text, crdb_internal.hidden_key_name(t.oid)) AS unique_constraint_name,
  CASE k.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' ELSE 'NONE' END AS match_option,
  CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
    WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS update_rule,
  CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
    WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS delete_rule,
  l.table_name, t.relname::text AS referenced_table_name
FROM crdb_internal.listed_constraints l JOIN pg_catalog.pg_constraint k ON k.oid = l.id
JOIN pg_catalog.pg_class t ON t.oid = k.confrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_class x ON x.oid = k.conindid,
  (SELECT pg_catalog.current_database()::text) AS d(name)
WHERE l.kind = 'f'
$view$);
