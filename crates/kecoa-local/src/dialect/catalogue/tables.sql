-- information_schema: tables, views, schemas and sequences.
CALL crdb_internal.replace_view('information_schema', 'tables', $view$
SELECT pg_catalog.current_database()::text AS table_catalog, n.nspname::text AS table_schema,
  c.relname::text AS table_name,
  CASE WHEN n.nspname IN ('pg_catalog', 'information_schema', 'crdb_internal') THEN 'SYSTEM VIEW'
    WHEN c.relkind IN ('v', 'm') THEN 'VIEW'
    WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END AS table_type,
  CASE WHEN c.relkind IN ('v', 'm') OR n.nspname IN ('pg_catalog', 'information_schema', 'crdb_internal') THEN 'NO'
    ELSE 'YES' END AS is_insertable_into,
  1::int8 AS version
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'pg_toast'
  AND NOT pg_catalog.pg_is_other_temp_schema(n.oid) AND NOT crdb_internal.is_own(n.nspname, c.relname)
  AND crdb_internal.may_see(c.oid, c.relowner)
$view$);

CALL crdb_internal.replace_view('information_schema', 'views', $view$
SELECT pg_catalog.current_database()::text AS table_catalog, n.nspname::text AS table_schema,
  c.relname::text AS table_name, crdb_internal.shown_query(c.oid) AS view_definition, NULL::text AS check_option,
  NULL::text AS is_updatable, NULL::text AS is_insertable_into, NULL::text AS is_trigger_updatable,
  NULL::text AS is_trigger_deletable, NULL::text AS is_trigger_insertable_into
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND crdb_internal.is_listed(n.oid, n.nspname)
  AND crdb_internal.may_see(c.oid, c.relowner)
$view$);

CALL crdb_internal.replace_view('information_schema', 'schemata', $view$
SELECT pg_catalog.current_database()::text AS catalog_name, n.nspname::text AS schema_name,
  NULL::text AS default_character_set_name, NULL::text AS sql_path,
  CASE WHEN crdb_internal.is_users(n.nspname) AND n.nspname <> 'public' THEN 'YES' ELSE 'NO' END AS crdb_is_user_defined
FROM pg_catalog.pg_namespace n
WHERE n.nspname !~ '^pg_toast' AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
  AND (n.nspname IN ('public', 'pg_catalog', 'information_schema', 'crdb_internal')
    OR pg_catalog.pg_has_role(n.nspowner, 'USAGE') OR pg_catalog.has_schema_privilege(n.oid, 'CREATE, USAGE'))
$view$);

-- A column's own sequence is one too.
CALL crdb_internal.replace_view('information_schema', 'sequences', $view$
SELECT pg_catalog.current_database()::text AS sequence_catalog, n.nspname::text AS sequence_schema,
  c.relname::text AS sequence_name, pg_catalog.format_type(s.seqtypid, NULL) AS data_type,
  CASE s.seqtypid WHEN 'int2'::regtype THEN 16 WHEN 'int4'::regtype THEN 32 ELSE 64 END::int8 AS numeric_precision,
  2::int8 AS numeric_precision_radix, 0::int8 AS numeric_scale, s.seqstart::text AS start_value,
  s.seqmin::text AS minimum_value, s.seqmax::text AS maximum_value, s.seqincrement::text AS increment,
  CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END AS cycle_option
FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE crdb_internal.is_listed(n.oid, n.nspname) AND (pg_catalog.pg_has_role(c.relowner, 'USAGE')
  OR CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE') END)
$view$);

-- Where earlier versions had it; users' views may read it.
DO $$
BEGIN
  DROP VIEW IF EXISTS crdb_internal.statistics;
EXCEPTION WHEN dependent_objects_still_exist THEN
  NULL;
END
$$;
CALL crdb_internal.replace_view('information_schema', 'statistics', $view$
SELECT pg_catalog.current_database()::text AS table_catalog, n.nspname::text AS table_schema,
  t.relname::text AS table_name, CASE WHEN i.non_unique THEN 'YES' ELSE 'NO' END AS non_unique,
  n.nspname::text AS index_schema, i.index_name, i.seq_in_index, i.column_name,
  NULL::text AS "COLLATION", NULL::int8 AS cardinality, i.direction,
  CASE WHEN i.storing THEN 'YES' ELSE 'NO' END AS storing,
  CASE WHEN i.implicit THEN 'YES' ELSE 'NO' END AS implicit,
  'YES'::text AS is_visible, 1::float8 AS visibility
FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN LATERAL crdb_internal.shown_indexes(t.oid) AS i
WHERE t.relkind IN ('r', 'p', 'm') AND crdb_internal.is_listed(n.oid, n.nspname)
  AND crdb_internal.may_see(t.oid, t.relowner)
$view$);
