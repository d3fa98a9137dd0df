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

-- What version() becomes. Clients look for CockroachDB's name at its start and take the third word for
-- the version; it says local all the same.
CREATE OR REPLACE FUNCTION crdb_internal.version() RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT 'CockroachDB dialect v25.2.0 (kecoa local endpoint, PostgreSQL '
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

-- CockroachDB's name of a type, with its arguments. Those that most columns have are told by their numbers,
-- without a look at the catalogue: whoever lists all columns asks for all of their types.
CREATE OR REPLACE FUNCTION crdb_internal.sql_type(kind oid, modifier int4) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN kind = 20::oid THEN 'INT8'
    WHEN kind = 25::oid THEN 'STRING'
    WHEN kind = 1043::oid THEN 'VARCHAR' || CASE WHEN modifier >= 4 THEN '(' || (modifier - 4)::text || ')' ELSE '' END
    WHEN kind = 16::oid THEN 'BOOL'
    WHEN kind = 1184::oid AND modifier = -1 THEN 'TIMESTAMPTZ'
    WHEN kind = 1114::oid AND modifier = -1 THEN 'TIMESTAMP'
    WHEN kind = 1700::oid AND modifier = -1 THEN 'DECIMAL'
    WHEN kind = 2950::oid THEN 'UUID'
    WHEN kind = 3802::oid THEN 'JSONB'
    WHEN kind = 1082::oid THEN 'DATE'
    WHEN kind = 701::oid THEN 'FLOAT8'
    WHEN kind = 23::oid THEN 'INT4'
    WHEN kind = 21::oid THEN 'INT2'
    WHEN kind = 17::oid THEN 'BYTES'
    WHEN kind = 26::oid THEN 'OID'
    WHEN kind = 19::oid THEN 'NAME'
    WHEN kind = 1009::oid THEN 'STRING[]'
    WHEN kind = 1016::oid THEN 'INT8[]'
    ELSE crdb_internal.sql_type_of(kind, modifier)
  END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.sql_type_of(kind oid, modifier int4) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN t.typelem <> 0 AND t.typcategory = 'A' AND t.typlen = -1
      THEN crdb_internal.sql_type(t.typelem, modifier) || '[]'
    WHEN n.nspname = 'information_schema' THEN 'STRING'
    WHEN t.typname = 'bit' AND modifier = 1 THEN 'BIT'
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
      || coalesce(nullif(pg_catalog.substring(
           pg_catalog.format_type(t.oid, nullif(modifier, -1)), '\([0-9,]+\)'),
           -- CHAR and BIT are of length 1 without one.
           CASE WHEN t.typname IN ('bpchar', 'bit') THEN '(1)' END), '')
  END
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.oid = kind
$$;

-- The same of a column. STRING(n) is a VARCHAR(n) that keeps its values in the row: see strings.rs.
CREATE OR REPLACE FUNCTION crdb_internal.sql_type(kind oid, modifier int4, storage "char") RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE storage
    WHEN 'm' THEN pg_catalog.regexp_replace(crdb_internal.sql_type(kind, modifier), '^VARCHAR\(', 'STRING(')
    ELSE crdb_internal.sql_type(kind, modifier) END
$$;

DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'admin') THEN
    CREATE ROLE admin NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another start made it meanwhile
END
$$;
