-- CockroachDB's functions that PostgreSQL lacks. Run by a superuser in template1 and in every
-- database; safe to run again.
CREATE SCHEMA IF NOT EXISTS crdb_internal;
GRANT USAGE ON SCHEMA crdb_internal TO PUBLIC;

CREATE SEQUENCE IF NOT EXISTS crdb_internal.rowid_sequence;
GRANT USAGE ON SEQUENCE crdb_internal.rowid_sequence TO PUBLIC;

-- Time in units of 10 microseconds since 2015 in the upper 48 bits, as CockroachDB lays it out.
-- Where CockroachDB puts the node, the lower 15 bits of a sequence that all sessions share: two
-- sessions collide only if 32,768 ids are taken within 10 microseconds.
CREATE OR REPLACE FUNCTION pg_catalog.unique_rowid() RETURNS int8
LANGUAGE sql VOLATILE PARALLEL UNSAFE AS $$
  SELECT (pg_catalog.trunc((extract(epoch FROM pg_catalog.clock_timestamp())
                            - 1420070400) * 100000)::pg_catalog.int8 << 15)
         | (pg_catalog.nextval('crdb_internal.rowid_sequence') & 32767)
$$;

CREATE OR REPLACE FUNCTION pg_catalog.cluster_logical_timestamp() RETURNS numeric
LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.trunc(extract(epoch FROM pg_catalog.transaction_timestamp())
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

-- information_schema.columns with the columns CockroachDB adds; statements that name the one are
-- sent to the other.
CREATE OR REPLACE VIEW crdb_internal.columns AS
SELECT c.*,
  'NO'::pg_catalog.text AS is_hidden,
  (CASE pg_catalog.ltrim(c.udt_name, '_')
     WHEN 'text' THEN 'STRING'
     WHEN 'bytea' THEN 'BYTES'
     WHEN 'varchar' THEN 'VARCHAR' || coalesce('(' || c.character_maximum_length || ')', '')
     WHEN 'bpchar' THEN 'CHAR' || coalesce('(' || c.character_maximum_length || ')', '')
     WHEN 'numeric' THEN 'DECIMAL'
       || coalesce('(' || c.numeric_precision || ',' || c.numeric_scale || ')', '')
     ELSE pg_catalog.upper(pg_catalog.ltrim(c.udt_name, '_'))
   END || CASE WHEN c.data_type = 'ARRAY' THEN '[]' ELSE '' END)::pg_catalog.text
    AS crdb_sql_type,
  pg_catalog.col_description(
    pg_catalog.to_regclass(pg_catalog.quote_ident(c.table_schema) || '.'
                           || pg_catalog.quote_ident(c.table_name)),
    c.ordinal_position) AS column_comment
FROM information_schema.columns c;
GRANT SELECT ON crdb_internal.columns TO PUBLIC;

DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'admin') THEN
    CREATE ROLE admin SUPERUSER NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another start made it meanwhile
END
$$;
