-- Tables of crdb_internal that have what SHOW shows.
CREATE OR REPLACE VIEW crdb_internal.create_statements AS
SELECT d.oid::int8 AS database_id, d.datname::text AS database_name, n.nspname::text AS schema_name,
  c.oid::int8 AS descriptor_id,
  CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' ELSE 'table' END
    AS descriptor_type,
  c.relname::text AS descriptor_name, s.whole AS create_statement,
  'PUBLIC'::text AS state, s.without_foreign_keys AS create_nofks,
  NULL::text AS create_redactable,
  ARRAY(SELECT pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I ', crdb_internal.qualified(c.oid),
      k.conname) || crdb_internal.shown_constraint(k.oid, ':::')
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' ORDER BY k.oid)
    AS alter_statements,
  ARRAY(SELECT pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I',
      crdb_internal.qualified(c.oid), k.conname)
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' ORDER BY k.oid)
    AS validate_statements,
  NULL::text AS create_partition, false AS is_multi_region, false AS has_partitions,
  false AS is_virtual, c.relpersistence = 't' AS is_temporary
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
CROSS JOIN LATERAL crdb_internal.shown_creates(c.oid) AS s
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND crdb_internal.is_users(n.nspname);

CREATE OR REPLACE VIEW crdb_internal.create_function_statements AS
SELECT d.oid::int8 AS database_id, d.datname::text AS database_name, n.oid::int8 AS schema_id,
  n.nspname::text AS schema_name, p.oid::int8 AS function_id, p.proname::text AS function_name,
  crdb_internal.shown_routine(p.oid) AS create_statement
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
WHERE p.prokind = 'f' AND crdb_internal.is_users(n.nspname)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e');

CREATE OR REPLACE VIEW crdb_internal.create_schema_statements AS
SELECT d.oid::int8 AS database_id, d.datname::text AS database_name, n.nspname::text AS schema_name,
  n.oid::int8 AS descriptor_id, 'CREATE SCHEMA ' || crdb_internal.quote_name(n.nspname) AS create_statement
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
WHERE crdb_internal.is_users(n.nspname);

GRANT SELECT ON crdb_internal.create_statements, crdb_internal.create_function_statements,
  crdb_internal.create_schema_statements TO PUBLIC;
