-- Functions and views of CockroachDB that drivers and tools ask. There is one node, and no ranges,
-- regions, jobs or changefeeds.
CREATE OR REPLACE FUNCTION pg_catalog.follower_read_timestamp() RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.statement_timestamp() - '4.2 seconds'::interval
$$;

CREATE OR REPLACE FUNCTION pg_catalog.gateway_region() RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'no region set on the locality flag on this node';
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.node_id() RETURNS int8
LANGUAGE sql IMMUTABLE AS $$ SELECT 1::int8 $$;

CREATE OR REPLACE FUNCTION crdb_internal.cluster_id() RETURNS uuid
LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.md5(s.system_identifier::text)::uuid FROM pg_catalog.pg_control_system() AS s
$$;

CREATE OR REPLACE FUNCTION crdb_internal.cluster_name() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT ''::text $$;

CREATE OR REPLACE FUNCTION crdb_internal.is_admin() RETURNS bool
LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.pg_has_role(current_user, 'admin', 'MEMBER')
$$;

CREATE OR REPLACE FUNCTION crdb_internal.locality_value(key text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT NULL::text $$;

-- Old clients count the features they use.
CREATE OR REPLACE FUNCTION crdb_internal.increment_feature_counter(feature text) RETURNS bool
LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;

CREATE OR REPLACE VIEW crdb_internal.databases AS
SELECT d.oid::int8 AS id, d.datname::text AS name, r.rolname::text AS owner,
  NULL::text AS primary_region, NULL::text AS secondary_region, '{}'::text[] AS regions,
  NULL::text AS survival_goal, NULL::text AS placement_policy,
  'CREATE DATABASE ' || pg_catalog.quote_ident(d.datname) AS create_statement
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba
WHERE NOT d.datistemplate;

CREATE OR REPLACE VIEW crdb_internal.tables AS
SELECT c.oid::int8 AS table_id, d.oid::int8 AS parent_id, c.relname::text AS name,
  d.datname::text AS database_name, 1::int8 AS version, NULL::timestamp AS mod_time,
  NULL::numeric AS mod_time_logical, NULL::text AS format_version, 'PUBLIC'::text AS state,
  NULL::int8 AS sc_lease_node_id, NULL::timestamp AS sc_lease_expiration_time,
  NULL::timestamp AS drop_time, 'DISABLED'::text AS audit_mode, n.nspname::text AS schema_name,
  n.oid::int8 AS parent_schema_id, NULL::text AS locality
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_toast');

CREATE OR REPLACE VIEW crdb_internal.table_columns AS
SELECT c.oid::int8 AS descriptor_id, c.relname::text AS descriptor_name,
  a.attnum::int8 AS column_id, a.attname::text AS column_name,
  crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage) AS column_type, NOT a.attnotnull AS nullable,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS default_expr, false AS hidden
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_toast');

CREATE OR REPLACE VIEW crdb_internal.table_indexes AS
SELECT t.oid::int8 AS descriptor_id, t.relname::text AS descriptor_name, x.oid::int8 AS index_id,
  x.relname::text AS index_name,
  CASE WHEN i.indisprimary THEN 'primary' ELSE 'secondary' END AS index_type,
  i.indisunique AS is_unique, m.amname = 'gin' AS is_inverted, false AS is_sharded,
  true AS is_visible, 1::float8 AS visibility, NULL::int8 AS shard_bucket_count,
  NULL::timestamp AS created_at, pg_catalog.pg_get_indexdef(x.oid) AS create_statement
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_toast');

CREATE OR REPLACE VIEW crdb_internal.index_columns AS
SELECT t.oid::int8 AS descriptor_id, t.relname::text AS descriptor_name, x.oid::int8 AS index_id,
  x.relname::text AS index_name,
  CASE WHEN s.n > i.indnkeyatts THEN 'storing' ELSE 'key' END AS column_type,
  a.attnum::int8 AS column_id, a.attname::text AS column_name,
  CASE WHEN s.n > i.indnkeyatts THEN NULL
    WHEN pg_catalog.pg_index_column_has_property(x.oid, s.n, 'desc') THEN 'DESC'
    ELSE 'ASC' END AS column_direction,
  false AS implicit
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnatts::int4) AS s(n)
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = i.indrelid AND a.attnum = i.indkey[s.n - 1] AND a.attnum > 0
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_toast');

CREATE OR REPLACE VIEW crdb_internal.cluster_settings AS
SELECT 'version'::text AS variable, '25.2'::text AS value, 'm'::text AS type, true AS public,
  'set the active cluster version in the format ''<major>.<minor>'''::text AS description,
  '25.2'::text AS default_value, 'default'::text AS origin, 'version'::text AS key;

CREATE OR REPLACE VIEW crdb_internal.regions AS
SELECT NULL::text AS region, NULL::text[] AS zones WHERE false;

-- What clients said last, in their own words: the endpoint tells it (kecoa.texts) before what asks for it.
CREATE OR REPLACE FUNCTION crdb_internal.client_texts() RETURNS TABLE (pid int4, sql text)
LANGUAGE sql STABLE AS $$
  SELECT t.key::pg_catalog.int4, t.value FROM pg_catalog.jsonb_each_text(
    nullif(pg_catalog.current_setting('kecoa.texts', true), '')::pg_catalog.jsonb) AS t
$$;
CREATE OR REPLACE VIEW crdb_internal.pg_stat_activity AS
SELECT a.datid, a.datname, a.pid, a.leader_pid, a.usesysid, a.usename, a.application_name, a.client_addr,
  a.client_hostname, a.client_port, a.backend_start, a.xact_start, a.query_start, a.state_change,
  a.wait_event_type, a.wait_event, a.state, a.backend_xid, a.backend_xmin, a.query_id,
  CASE WHEN a.query = '<insufficient privilege>' THEN a.query ELSE coalesce(t.sql, a.query) END AS query,
  a.backend_type
FROM pg_catalog.pg_stat_activity a LEFT JOIN crdb_internal.client_texts() t ON t.pid = a.pid;

CREATE OR REPLACE VIEW crdb_internal.cluster_sessions AS
SELECT 1::int8 AS node_id, a.pid::text AS session_id, a.usename::text AS user_name,
  a.client_addr::text AS client_address, a.application_name,
  CASE WHEN a.state = 'active' THEN a.query ELSE '' END AS active_queries,
  a.query AS last_active_query, a.backend_start AS session_start,
  CASE WHEN a.state = 'active' THEN a.query_start END AS active_query_start,
  upper(coalesce(nullif(a.state, 'active'), 'ACTIVE')) AS status
FROM crdb_internal.pg_stat_activity a WHERE a.backend_type = 'client backend';

CREATE OR REPLACE VIEW crdb_internal.cluster_queries AS
SELECT a.pid::text AS query_id, NULL::text AS txn_id, 1::int8 AS node_id,
  a.pid::text AS session_id, a.usename::text AS user_name, a.query_start AS start, a.query,
  a.client_addr::text AS client_address, a.application_name, false AS distributed,
  'executing'::text AS phase, a.datname::text AS database
FROM crdb_internal.pg_stat_activity a WHERE a.backend_type = 'client backend' AND a.state = 'active';

CREATE OR REPLACE VIEW crdb_internal.jobs AS
SELECT NULL::int8 AS job_id, NULL::text AS job_type, NULL::text AS description,
  NULL::text AS statement, NULL::text AS user_name, NULL::text AS status,
  NULL::text AS running_status, NULL::timestamptz AS created, NULL::timestamptz AS finished,
  NULL::timestamptz AS modified, NULL::float8 AS fraction_completed, NULL::text AS error,
  NULL::int8 AS coordinator_id
WHERE false;

-- FROM [EXPLAIN …]: the statement's lines, with the rights of whoever asks.
CREATE OR REPLACE FUNCTION crdb_internal.explained(statement text) RETURNS TABLE (info text)
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  RETURN QUERY EXECUTE statement;
END
$body$;

GRANT SELECT ON ALL TABLES IN SCHEMA crdb_internal TO PUBLIC;
