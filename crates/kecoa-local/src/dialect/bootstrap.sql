-- CockroachDB's functions that PostgreSQL lacks.
CREATE SEQUENCE IF NOT EXISTS crdb_internal.rowid_sequence;
GRANT USAGE ON SEQUENCE crdb_internal.rowid_sequence TO PUBLIC;

-- Time in units of 10 microseconds since 2015 in the upper 48 bits, as CockroachDB lays it out.
-- Where CockroachDB puts the node, the lower 15 bits of a sequence that all sessions share: two
-- sessions collide only if 32,768 ids are taken within 10 microseconds.
CREATE OR REPLACE FUNCTION pg_catalog.unique_rowid() RETURNS int8
LANGUAGE sql VOLATILE PARALLEL UNSAFE AS $$
  SELECT (pg_catalog.trunc((crdb_internal."extract"('epoch', pg_catalog.clock_timestamp())
                            - 1420070400) * 100000)::pg_catalog.int8 << 15)
         | (pg_catalog.nextval('crdb_internal.rowid_sequence') & 32767)
$$;

CREATE OR REPLACE FUNCTION pg_catalog.cluster_logical_timestamp() RETURNS numeric
LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.trunc(crdb_internal."extract"('epoch', pg_catalog.transaction_timestamp())
                          * 1000000000) + 0.0000000000
$$;

-- What version() becomes: it names the dialect for the clients that look for it, and says local.
CREATE OR REPLACE FUNCTION crdb_internal.version() RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT 'kecoa local endpoint (CockroachDB v25.2.0 dialect, PostgreSQL '
         || pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) || ')'
$$;

CREATE OR REPLACE FUNCTION crdb_internal.node_executable_version() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT '25.2'::text $$;

-- A retry error until the interval has passed since the transaction's first attempt began. The
-- endpoint says when that was (kecoa.first_failure) and whether the statement stands alone
-- (kecoa.implicit): CockroachDB retries such a statement itself, so it only takes its time.
CREATE OR REPLACE FUNCTION crdb_internal.force_retry(wanted interval) RETURNS int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
  since timestamptz := coalesce(
    pg_catalog.to_timestamp(
      nullif(pg_catalog.current_setting('kecoa.first_failure', true), '')::float8),
    pg_catalog.transaction_timestamp());
BEGIN
  IF pg_catalog.current_setting('kecoa.implicit', true) = 'on' THEN
    PERFORM pg_catalog.pg_sleep_for(wanted);
  ELSIF pg_catalog.clock_timestamp() - since < wanted THEN
    RAISE EXCEPTION USING ERRCODE = '40001',
      MESSAGE = 'restart transaction: TransactionRetryWithProtoRefreshError: '
                || 'forced by crdb_internal.force_retry()';
  END IF;
  RETURN 0;
END
$$;

-- CockroachDB's name of a type, with its arguments.
CREATE OR REPLACE FUNCTION crdb_internal.sql_type(kind oid, modifier int4) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN t.typelem <> 0 AND t.typcategory = 'A' AND t.typlen = -1
      THEN crdb_internal.sql_type(t.typelem, modifier) || '[]'
    WHEN n.nspname = 'information_schema' THEN 'STRING'
    WHEN n.nspname <> 'pg_catalog' AND t.typtype IN ('e', 'c', 'd', 'r')
      THEN pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname)
    ELSE (CASE t.typname
        WHEN 'text' THEN 'STRING'
        WHEN 'bytea' THEN 'BYTES'
        WHEN 'bpchar' THEN 'CHAR'
        WHEN 'numeric' THEN 'DECIMAL'
        WHEN 'char' THEN '"char"'
        ELSE pg_catalog.upper(t.typname)
      END)
      || coalesce(pg_catalog.substring(
           pg_catalog.format_type(t.oid, nullif(modifier, -1)), '\([0-9,]+\)'), '')
  END
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.oid = kind
$$;

-- information_schema.columns with the columns CockroachDB adds, and the hidden rowid of a table
-- without a primary key; statements that name the one are sent to the other.
CREATE OR REPLACE VIEW crdb_internal.columns AS
SELECT
  c.table_catalog, c.table_schema, c.table_name, c.column_name, c.ordinal_position,
  c.column_default, c.is_nullable,
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
  c.identity_minimum, c.identity_cycle, c.is_generated, c.generation_expression, c.is_updatable,
  'NO'::pg_catalog.text AS is_hidden,
  -- The collation this column has had from the start: a view cannot change it.
  crdb_internal.sql_type(a.atttypid, a.atttypmod) COLLATE "C" AS crdb_sql_type,
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

DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'admin') THEN
    CREATE ROLE admin NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another start made it meanwhile
END
$$;
