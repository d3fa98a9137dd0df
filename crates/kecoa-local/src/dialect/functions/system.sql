-- CockroachDB's functions about itself that tools and tests call.
CREATE OR REPLACE FUNCTION crdb_internal.active_version() RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT '{"majorVal": 25, "minorVal": 2, "patch": 0, "internal": 0}'::pg_catalog.jsonb $$;
CREATE OR REPLACE FUNCTION crdb_internal.is_at_least_version(version text) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ARRAY[25, 2, 0] >= ARRAY[coalesce(v[1], '0')::pg_catalog.int4, coalesce(v[2], '0')::pg_catalog.int4,
    coalesce(v[3], '0')::pg_catalog.int4]
  FROM (SELECT pg_catalog.string_to_array(pg_catalog.substring($1, '[0-9.]+'), '.')) AS s(v) $$;
CREATE OR REPLACE FUNCTION crdb_internal.approximate_timestamp("timestamp" numeric) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT pg_catalog.timezone('UTC', pg_catalog.hlc_to_timestamp($1)) $$;

CREATE OR REPLACE FUNCTION crdb_internal.notice(msg text) RETURNS int8
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE NOTICE '%', msg;
  RETURN 0;
END
$$;
CREATE OR REPLACE FUNCTION crdb_internal.notice(severity text, msg text) RETURNS int8
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  CASE pg_catalog.lower(severity)
    WHEN 'debug1' THEN RAISE DEBUG '%', msg;
    WHEN 'log' THEN RAISE LOG '%', msg;
    WHEN 'info' THEN RAISE INFO '%', msg;
    WHEN 'notice' THEN RAISE NOTICE '%', msg;
    WHEN 'warning' THEN RAISE WARNING '%', msg;
    ELSE RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = pg_catalog.format('severity %s is invalid', severity);
  END CASE;
  RETURN 0;
END
$$;
CREATE OR REPLACE FUNCTION crdb_internal.force_error("errorCode" text, msg text) RETURNS int8
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = CASE "errorCode" WHEN '' THEN 'XXUUU' ELSE "errorCode" END, MESSAGE = msg;
END
$$;
CREATE OR REPLACE FUNCTION crdb_internal.force_assertion_error(msg text) RETURNS int8
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'XX000', MESSAGE = msg;
END
$$;
CREATE OR REPLACE FUNCTION crdb_internal.void_func() RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS 'BEGIN END';

CREATE OR REPLACE FUNCTION crdb_internal.get_database_id(name text) RETURNS int8
LANGUAGE sql STABLE STRICT AS $$
  SELECT d.oid::pg_catalog.int8 FROM pg_catalog.pg_database d WHERE d.datname = $1 $$;
CREATE OR REPLACE FUNCTION crdb_internal.get_namespace_id(parent_id int8, parent_schema_id int8, name text) RETURNS int8
LANGUAGE sql STABLE STRICT AS $$
  SELECT c.oid::pg_catalog.int8 FROM pg_catalog.pg_class c
  WHERE c.relnamespace = $2::pg_catalog.oid AND c.relname = $3 $$;
CREATE OR REPLACE FUNCTION crdb_internal.get_fully_qualified_table_name(table_descriptor_id int8) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
  SELECT pg_catalog.concat_ws('.', pg_catalog.quote_ident(pg_catalog.current_database()),
    pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(c.relname))
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = $1::pg_catalog.oid $$;

CREATE OR REPLACE FUNCTION crdb_internal.humanize_bytes(val int8) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_catalog.abs($1) < 1024 THEN $1 || ' B'
    ELSE crdb_internal.to_char($1 / 1024.0 ^ n, CASE WHEN pg_catalog.abs($1) / 1024.0 ^ n < 9.95 THEN 'FM0.0' ELSE 'FM9990' END)
      || ' ' || (ARRAY['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'])[n] END
  FROM (SELECT least(6, pg_catalog.trunc(pg_catalog.log(1024.0, greatest(1, pg_catalog.abs($1)::pg_catalog.numeric)))::pg_catalog.int4)) AS s(n) $$;
CREATE OR REPLACE FUNCTION crdb_internal.round_decimal_values(val numeric, scale int8) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.round($1, $2)';
CREATE OR REPLACE FUNCTION crdb_internal.round_decimal_values(val numeric[], scale int8) RETURNS numeric[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  'SELECT pg_catalog.array_agg(pg_catalog.round(v, $2) ORDER BY n) FROM pg_catalog.unnest($1) WITH ORDINALITY AS u(v, n)';

-- What current_setting() becomes where it names a variable of CockroachDB's: the value is given.
CREATE OR REPLACE FUNCTION crdb_internal.current_setting(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';

-- What set_config() becomes where it names a limit of time: an interval is taken, too, and milliseconds are given.
CREATE OR REPLACE FUNCTION crdb_internal.set_timeout(name text, value text, is_local bool) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF value !~ '^ *[0-9.]+ *(us|ms|s|min|h|d)? *$' THEN
    value := pg_catalog.round(crdb_internal."extract"('epoch', value::pg_catalog.interval) * 1000)::pg_catalog.text;
  END IF;
  PERFORM pg_catalog.set_config(name, value, is_local);
  RETURN (SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = set_timeout.name);
END
$$;

-- There is no trace, no cache of plans of the endpoint's own and no region.
CREATE OR REPLACE FUNCTION crdb_internal.trace_id() RETURNS int8
LANGUAGE sql STABLE AS 'SELECT 0::pg_catalog.int8';
CREATE OR REPLACE FUNCTION crdb_internal.clear_query_plan_cache() RETURNS void LANGUAGE plpgsql VOLATILE AS 'BEGIN END';
CREATE OR REPLACE FUNCTION crdb_internal.clear_table_stats_cache() RETURNS void LANGUAGE plpgsql VOLATILE AS 'BEGIN END';
CREATE OR REPLACE FUNCTION crdb_internal.fips_ready() RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
CREATE OR REPLACE FUNCTION pg_catalog.default_to_database_primary_region(val text) RETURNS text
LANGUAGE sql STABLE AS 'SELECT $1';
CREATE OR REPLACE FUNCTION pg_catalog.pg_is_xlog_replay_paused() RETURNS bool
LANGUAGE sql STABLE AS 'SELECT false';

-- Advisory locks lock nothing in CockroachDB. What it does not have at all is put aside elsewhere.
CREATE OR REPLACE FUNCTION pg_catalog.pg_try_advisory_lock(int8) RETURNS bool LANGUAGE sql VOLATILE STRICT AS 'SELECT true';
CREATE OR REPLACE FUNCTION pg_catalog.pg_try_advisory_lock(int8, int8) RETURNS bool LANGUAGE sql VOLATILE STRICT AS 'SELECT true';
CREATE OR REPLACE FUNCTION pg_catalog.pg_advisory_unlock(int8) RETURNS bool LANGUAGE sql VOLATILE STRICT AS 'SELECT true';
CREATE OR REPLACE FUNCTION pg_catalog.pg_advisory_unlock(int8, int8) RETURNS bool LANGUAGE sql VOLATILE STRICT AS 'SELECT true';
CREATE OR REPLACE FUNCTION pg_catalog.pg_advisory_unlock_shared(int8) RETURNS bool LANGUAGE sql VOLATILE STRICT AS 'SELECT true';
CREATE OR REPLACE FUNCTION pg_catalog.pg_advisory_unlock_shared(int8, int8) RETURNS bool LANGUAGE sql VOLATILE STRICT AS 'SELECT true';
CREATE OR REPLACE FUNCTION pg_catalog.pg_advisory_unlock_all() RETURNS void LANGUAGE plpgsql VOLATILE AS 'BEGIN END';

-- What it waits with gives nothing, and CockroachDB's is true.
CREATE OR REPLACE FUNCTION pg_catalog.pg_sleep(seconds float8) RETURNS bool
LANGUAGE sql VOLATILE STRICT AS 'SELECT crdb_internal.pg_sleep($1) IS NOT NULL';
