-- information_schema: who may do what.
CALL crdb_internal.replace_view('information_schema', 'table_privileges', $view$
SELECT NULL::text AS grantor, g.grantee, g.database_name AS table_catalog, g.schema_name AS table_schema,
  g.object_name AS table_name, g.privilege_type, CASE WHEN g.is_grantable THEN 'YES' ELSE 'NO' END AS is_grantable,
  CASE g.privilege_type WHEN 'SELECT' THEN 'YES' ELSE 'NO' END AS with_hierarchy
FROM (SELECT DISTINCT * FROM crdb_internal.shown_grants WHERE object_type IN ('table', 'sequence')) AS g
$view$);
CALL crdb_internal.replace_view('information_schema', 'role_table_grants',
  'SELECT * FROM information_schema.table_privileges');

CALL crdb_internal.replace_view('information_schema', 'schema_privileges', $view$
SELECT g.grantee, g.database_name AS table_catalog, g.schema_name AS table_schema, g.privilege_type,
  CASE WHEN g.is_grantable THEN 'YES' ELSE 'NO' END AS is_grantable
FROM (SELECT DISTINCT * FROM crdb_internal.shown_grants WHERE object_type = 'schema') AS g
$view$);

CALL crdb_internal.replace_view('information_schema', 'type_privileges', $view$
SELECT g.grantee, g.database_name AS type_catalog, g.schema_name AS type_schema, g.object_name AS type_name,
  g.privilege_type, CASE WHEN g.is_grantable THEN 'YES' ELSE 'NO' END AS is_grantable
FROM (SELECT DISTINCT * FROM crdb_internal.shown_grants WHERE object_type = 'type') AS g
$view$);

-- What root and admin may do in every database.
CALL crdb_internal.replace_view('information_schema', 'user_privileges', $view$
SELECT u.grantee, d.datname::text AS table_catalog, p.privilege AS privilege_type, NULL::text AS is_grantable
FROM (VALUES ('admin'), ('root')) AS u(grantee), pg_catalog.pg_database d,
  pg_catalog.unnest('{ALL,BACKUP,CHANGEFEED,CONNECT,CREATE,DELETE,DROP,EXECUTE,INSERT,RESTORE,SELECT,TRIGGER,UPDATE,USAGE,ZONECONFIG}'::text[])
    AS p(privilege)
WHERE NOT d.datistemplate AND d.datname = pg_catalog.current_database()
$view$);

-- Of whom a table's privileges were granted to one by one; ALL is none of a column's.
CALL crdb_internal.replace_view('information_schema', 'column_privileges', $view$
SELECT NULL::text AS grantor, g.grantee, g.database_name AS table_catalog, g.schema_name AS table_schema,
  g.object_name AS table_name, a.attname::text AS column_name, g.privilege_type, NULL::text AS is_grantable
FROM (SELECT DISTINCT * FROM crdb_internal.shown_grants WHERE object_type = 'table') AS g
JOIN pg_catalog.pg_attribute a ON a.attrelid = g.object_id AND a.attnum > 0 AND NOT a.attisdropped
WHERE g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
$view$);
