-- Tables of CockroachDB's database system, which statements name there and find here, and those of crdb_internal
-- that say of one node what they say of a cluster.
CALL crdb_internal.replace_view('crdb_internal', 'system_users', $view$
SELECT r.rolname::text AS username, NULL::bytea AS "hashedPassword", NOT r.rolcanlogin AS "isRole",
  CASE r.rolname WHEN 'root' THEN 1::oid WHEN 'admin' THEN 2::oid WHEN 'node' THEN 3::oid ELSE r.oid END AS user_id
FROM crdb_internal.pg_roles r WHERE r.rolname <> 'node'
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'system_role_members', $view$
SELECT g.username AS role, u.username AS member, m.admin_option AS "isAdmin", g.user_id AS role_id, u.user_id AS member_id
FROM crdb_internal.pg_auth_members m
JOIN pg_catalog.pg_roles gr ON gr.oid = m.roleid JOIN pg_catalog.pg_roles ur ON ur.oid = m.member
JOIN crdb_internal.system_users g ON g.username = gr.rolname::text
JOIN crdb_internal.system_users u ON u.username = ur.rolname::text
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'system_role_options', $view$
SELECT u.username, o.option, o.value, u.user_id
FROM crdb_internal.system_users u JOIN pg_catalog.pg_roles r ON r.rolname::text = u.username
CROSS JOIN LATERAL (VALUES
  ('CREATEDB', NULL::text, r.rolcreatedb), ('CREATEROLE', NULL, r.rolcreaterole),
  ('NOLOGIN', NULL, NOT r.rolcanlogin), ('VALID UNTIL', r.rolvaliduntil::text, r.rolvaliduntil IS NOT NULL)
) AS o(option, value, given)
WHERE o.given AND u.username NOT IN ('root', 'admin')
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'system_namespace', $view$
SELECT 0::int8 AS "parentID", 0::int8 AS "parentSchemaID", d.datname::text AS name, d.oid::int8 AS id
FROM pg_catalog.pg_database d WHERE NOT d.datistemplate
UNION ALL
SELECT d.oid::int8, 0, n.nspname::text, n.oid::int8
FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
WHERE crdb_internal.is_users(n.nspname)
UNION ALL
SELECT d.oid::int8, n.oid::int8, c.relname::text, c.oid::int8
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND crdb_internal.is_users(n.nspname)
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'system_settings', $view$
SELECT s.key AS name, s.value, NULL::timestamp AS "lastUpdated", s.type AS "valueType" FROM crdb_internal.cluster_settings s
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'system_comments', $view$
SELECT CASE WHEN d.objsubid > 0 THEN 2 WHEN c.relkind = 'i' THEN 3 ELSE 1 END::int8 AS type,
  coalesce(i.indrelid, d.objoid)::int8 AS object_id, coalesce(i.indexrelid::int8, d.objsubid::int8) AS sub_id,
  d.description AS comment
FROM pg_catalog.pg_description d JOIN pg_catalog.pg_class c ON c.oid = d.objoid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid <> 32767 AND crdb_internal.is_users(n.nspname)
UNION ALL
SELECT 4, n.oid::int8, 0, d.description FROM pg_catalog.pg_description d JOIN pg_catalog.pg_namespace n ON n.oid = d.objoid
WHERE d.classoid = 'pg_catalog.pg_namespace'::regclass AND crdb_internal.is_users(n.nspname) AND n.nspname <> 'public'
UNION ALL
SELECT 5, k.conrelid::int8, k.oid::int8, d.description
FROM pg_catalog.pg_description d JOIN pg_catalog.pg_constraint k ON k.oid = d.objoid
WHERE d.classoid = 'pg_catalog.pg_constraint'::regclass
UNION ALL
SELECT 0, b.oid::int8, 0, d.description FROM pg_catalog.pg_shdescription d JOIN pg_catalog.pg_database b ON b.oid = d.objoid
WHERE d.classoid = 'pg_catalog.pg_database'::regclass AND NOT b.datistemplate
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'node_build_info', $view$
SELECT 1::int8 AS node_id, i.field, i.value FROM (VALUES
  ('Name', 'CockroachDB'), ('ClusterID', crdb_internal.cluster_id()::text), ('Organization', ''),
  ('Build', crdb_internal.version()::text),
  ('Version', crdb_internal.substring(crdb_internal.version()::text, 'v[0-9]+\.[0-9]+\.[0-9]+')), ('Channel', 'local')
) AS i(field, value)
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'cluster_transactions', $view$
SELECT pg_catalog.md5(a.pid::text || a.xact_start::text)::uuid AS id, 1::int8 AS node_id, a.pid::text AS session_id,
  a.xact_start AS start, NULL::text AS txn_string, a.application_name, NULL::int8 AS num_stmts, 0::int8 AS num_retries,
  0::int8 AS num_auto_retries, NULL::text AS last_auto_retry_reason, NULL::text AS isolation_level,
  'normal'::text AS priority, 'regular'::text AS quality_of_service
FROM pg_catalog.pg_stat_activity a WHERE a.backend_type = 'client backend' AND a.xact_start IS NOT NULL
$view$);
CALL crdb_internal.replace_view('crdb_internal', 'node_transactions', 'SELECT * FROM crdb_internal.cluster_transactions');
CALL crdb_internal.replace_view('crdb_internal', 'node_sessions', 'SELECT * FROM crdb_internal.cluster_sessions');
CALL crdb_internal.replace_view('crdb_internal', 'node_queries', 'SELECT * FROM crdb_internal.cluster_queries');

CALL crdb_internal.replace_view('crdb_internal', 'table_row_statistics', $view$
SELECT c.oid::int8 AS table_id, c.relname::text AS table_name,
  CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS estimated_row_count
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND crdb_internal.is_users(n.nspname)
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'index_usage_statistics', $view$
SELECT s.relid::int8 AS table_id, s.indexrelid::int8 AS index_id, s.idx_scan AS total_reads,
  NULL::timestamptz AS last_read
FROM pg_catalog.pg_stat_user_indexes s WHERE crdb_internal.is_users(s.schemaname)
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'kv_inherited_role_members', $view$
SELECT m.role, m.member AS inheriting_member, true AS member_is_explicit, m."isAdmin" AS member_is_admin
FROM crdb_internal.system_role_members m
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'create_type_statements', $view$
SELECT d.oid::int8 AS database_id, d.datname::text AS database_name, n.nspname::text AS schema_name,
  t.oid::int8 AS descriptor_id, t.typname::text AS descriptor_name,
  'CREATE TYPE ' || crdb_internal.quote_name(n.nspname) || '.' || crdb_internal.quote_name(t.typname) || ' AS ENUM ('
    || pg_catalog.array_to_string(ARRAY(SELECT crdb_internal.shown_string(m) FROM pg_catalog.unnest(e.members) AS m), ', ')
    || ')' AS create_statement,
  e.members AS enum_members
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
CROSS JOIN LATERAL (SELECT ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
  ORDER BY e.enumsortorder)) AS e(members)
WHERE t.typtype = 'e' AND crdb_internal.is_users(n.nspname)
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'create_procedure_statements', $view$
SELECT d.oid::int8 AS database_id, d.datname::text AS database_name, n.oid::int8 AS schema_id, n.nspname::text AS schema_name,
  p.oid::int8 AS procedure_id, p.proname::text AS procedure_name, crdb_internal.shown_routine(p.oid) AS create_statement
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
WHERE p.prokind = 'p' AND crdb_internal.is_users(n.nspname)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
$view$);

-- Of these there is nothing on one node, whose schema changes are done at once.
CALL crdb_internal.replace_view('crdb_internal', 'schema_changes', $view$
SELECT NULL::int8 AS table_id, NULL::int8 AS parent_id, NULL::text AS name, NULL::text AS type, NULL::int8 AS target_id,
  NULL::text AS target_name, NULL::text AS state, NULL::text AS direction WHERE false
$view$);
CALL crdb_internal.replace_view('crdb_internal', 'invalid_objects', $view$
SELECT NULL::int8 AS id, NULL::text AS database_name, NULL::text AS schema_name, NULL::text AS obj_name, NULL::text AS error,
  NULL::text AS error_redactable WHERE false
$view$);
CALL crdb_internal.replace_view('crdb_internal', 'partitions', $view$
SELECT NULL::int8 AS table_id, NULL::int8 AS index_id, NULL::text AS parent_name, NULL::text AS name, NULL::int8 AS columns,
  NULL::text AS column_names, NULL::text AS list_value, NULL::text AS range_value, NULL::int8 AS zone_id,
  NULL::int8 AS subzone_id WHERE false
$view$);
CALL crdb_internal.replace_view('crdb_internal', 'super_regions', $view$
SELECT NULL::int8 AS id, NULL::text AS database_name, NULL::text AS super_region_name, NULL::text[] AS regions WHERE false
$view$);

-- What is said of roles is admin's to read.
REVOKE SELECT ON crdb_internal.system_users, crdb_internal.system_role_members, crdb_internal.system_role_options FROM PUBLIC;
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'admin') THEN
    GRANT SELECT ON crdb_internal.system_users, crdb_internal.system_role_members, crdb_internal.system_role_options TO admin;
  END IF;
  -- PostgreSQL's own comments.
  IF pg_catalog.obj_description('public'::pg_catalog.regnamespace, 'pg_namespace') = 'standard public schema' THEN
    COMMENT ON SCHEMA public IS NULL;
  END IF;
  COMMENT ON SCHEMA pg_catalog IS NULL;
END
$$;
