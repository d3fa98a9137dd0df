-- Division as CockroachDB has it: / of two integers is a DECIMAL, // cuts towards zero.
--
-- PostgreSQL finds pg_catalog's operators first whatever the search path is, so it is these rows
-- that must say another function. Views and defaults that exist already keep the one they name.
SET allow_system_table_mods = on;

DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT l, r FROM (VALUES ('int2'), ('int4'), ('int8')) AS a(l),
                     (VALUES ('int2'), ('int4'), ('int8')) AS b(r)
  LOOP
    EXECUTE pg_catalog.format(
      'CREATE OR REPLACE FUNCTION crdb_internal.divide(%s, %s) RETURNS pg_catalog.numeric '
      'LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS '
      '''SELECT pg_catalog.numeric_div($1::pg_catalog.numeric, $2::pg_catalog.numeric)''',
      o.l, o.r);
    UPDATE pg_catalog.pg_operator SET
      oprresult = 'pg_catalog.numeric'::pg_catalog.regtype,
      oprcode = pg_catalog.format('crdb_internal.divide(%s,%s)', o.l, o.r)::pg_catalog.regprocedure
    WHERE oprname = '/' AND oprnamespace = 'pg_catalog'::pg_catalog.regnamespace
      AND oprleft = o.l::pg_catalog.regtype AND oprright = o.r::pg_catalog.regtype
      AND oprresult <> 'pg_catalog.numeric'::pg_catalog.regtype;
  END LOOP;
END
$$;

-- A // b arrives as a / crdb_internal.whole() / b, which keeps the precedence of a division: the
-- first / makes a dividend that remembers, the second one divides and cuts.
DO $$
DECLARE
  o record;
BEGIN
  IF pg_catalog.to_regtype('crdb_internal.whole_mark') IS NOT NULL THEN
    RETURN;
  END IF;
  CREATE TYPE crdb_internal.whole_mark AS (nothing bool);
  CREATE TYPE crdb_internal.int8_dividend AS (value int8);
  CREATE TYPE crdb_internal.numeric_dividend AS (value numeric);
  CREATE TYPE crdb_internal.float8_dividend AS (value float8);
  CREATE FUNCTION crdb_internal.whole() RETURNS crdb_internal.whole_mark
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT ROW(true)::crdb_internal.whole_mark';
  FOR o IN SELECT * FROM (VALUES
    ('int2', 'int8'), ('int4', 'int8'), ('int8', 'int8'),
    ('numeric', 'numeric'), ('float4', 'float8'), ('float8', 'float8')) AS v(t, wide)
  LOOP
    EXECUTE pg_catalog.format(
      'CREATE FUNCTION crdb_internal.dividend(%1$s, crdb_internal.whole_mark) '
      'RETURNS crdb_internal.%2$s_dividend LANGUAGE sql IMMUTABLE PARALLEL SAFE AS '
      '''SELECT ROW($1)::crdb_internal.%2$s_dividend''', o.t, o.wide);
    EXECUTE pg_catalog.format(
      'CREATE OPERATOR pg_catalog./ (LEFTARG = %s, RIGHTARG = crdb_internal.whole_mark, '
      'FUNCTION = crdb_internal.dividend)', o.t);
  END LOOP;
  FOR o IN
    SELECT l, r, wide, CASE WHEN a.rank > b.rank THEN l ELSE wide END AS result
    FROM (VALUES ('int8', 1), ('numeric', 2), ('float8', 3)) AS a(l, rank),
      (VALUES ('int2', 'int8', 1), ('int4', 'int8', 1), ('int8', 'int8', 1),
              ('numeric', 'numeric', 2), ('float4', 'float8', 3), ('float8', 'float8', 3))
        AS b(r, wide, rank)
  LOOP
    EXECUTE pg_catalog.format(
      'CREATE FUNCTION crdb_internal.divide_whole(crdb_internal.%s_dividend, %s) '
      'RETURNS %s LANGUAGE sql IMMUTABLE PARALLEL SAFE AS ''SELECT %s''',
      o.l, o.r, o.result,
      CASE o.result
        WHEN 'int8' THEN 'pg_catalog.int8div(($1).value, $2::pg_catalog.int8)'
        WHEN 'numeric' THEN
          'pg_catalog.div(($1).value::pg_catalog.numeric, $2::pg_catalog.numeric)'
        ELSE 'pg_catalog.trunc(pg_catalog.float8div(($1).value, $2::pg_catalog.float8))'
      END);
    EXECUTE pg_catalog.format(
      'CREATE OPERATOR pg_catalog./ (LEFTARG = crdb_internal.%s_dividend, RIGHTARG = %s, '
      'FUNCTION = crdb_internal.divide_whole)', o.l, o.r);
  END LOOP;
END
$$;

-- INT is 64 bits wide: what takes an int4 in PostgreSQL takes an int8 too where nothing becomes
-- ambiguous by it. Beside each stands the int2 that a driver may send for a small number, which
-- would otherwise fit two.
CREATE OR REPLACE FUNCTION pg_catalog.generate_subscripts(int2vector, int8) RETURNS SETOF int4
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  'SELECT pg_catalog.generate_subscripts($1::pg_catalog.int2[], $2::pg_catalog.int4)';

CREATE OR REPLACE FUNCTION pg_catalog.pg_get_indexdef(oid, int8, bool) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS
  'SELECT pg_catalog.pg_get_indexdef($1, $2::pg_catalog.int4, $3)';

CREATE OR REPLACE FUNCTION pg_catalog.pg_get_indexdef(oid, int2, bool) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS
  'SELECT pg_catalog.pg_get_indexdef($1, $2::pg_catalog.int4, $3)';

DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT * FROM (VALUES
      ('date', '+', 'date', 'date_pli'), ('date', '-', 'date', 'date_mii'),
      ('jsonb', '->', 'jsonb', 'jsonb_array_element'),
      ('jsonb', '->>', 'text', 'jsonb_array_element_text'),
      ('int8', '<<', 'int8', 'int8shl'), ('int8', '>>', 'int8', 'int8shr')
    ) AS v(l, name, result, function), (VALUES ('int2'), ('int8')) AS w(r)
  LOOP
    CONTINUE WHEN pg_catalog.to_regoperator(
      pg_catalog.format('pg_catalog.%s(%s,%s)', o.name, o.l, o.r)) IS NOT NULL;
    EXECUTE pg_catalog.format(
      'CREATE FUNCTION crdb_internal.%1$s(%2$s, %3$s) RETURNS %4$s LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS ''SELECT pg_catalog.%1$s($1, $2::pg_catalog.int4)''',
      o.function, o.l, o.r, o.result);
    EXECUTE pg_catalog.format(
      'CREATE OPERATOR pg_catalog.%s (LEFTARG = %s, RIGHTARG = %s, '
      'FUNCTION = crdb_internal.%s)', o.name, o.l, o.r, o.function);
  END LOOP;
END
$$;

-- PostgreSQL casts between BOOL and INT4 only. CockroachDB casts any number, where it is told to.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['int2', 'int8', 'float4', 'float8', 'numeric'] LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_cast
      WHERE castsource = 'bool'::pg_catalog.regtype AND casttarget = t::pg_catalog.regtype);
    EXECUTE pg_catalog.format(
      'CREATE FUNCTION crdb_internal.bool_to_%1$s(bool) RETURNS %1$s LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS ''SELECT $1::pg_catalog.int4::pg_catalog.%1$s''', t);
    EXECUTE pg_catalog.format(
      'CREATE FUNCTION crdb_internal.%1$s_to_bool(%1$s) RETURNS bool LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS ''SELECT $1 OPERATOR(pg_catalog.<>) 0::pg_catalog.%1$s''', t);
    EXECUTE pg_catalog.format(
      'CREATE CAST (bool AS %1$s) WITH FUNCTION crdb_internal.bool_to_%1$s(bool)', t);
    EXECUTE pg_catalog.format(
      'CREATE CAST (%1$s AS bool) WITH FUNCTION crdb_internal.%1$s_to_bool(%1$s)', t);
  END LOOP;
END
$$;

-- A VIRTUAL column may use PostgreSQL's own functions only, told by their oids below 12000: the
-- functions behind PostgreSQL's own operators count as such.
DO $$
DECLARE
  f record;
  wanted oid := 9900;
BEGIN
  FOR f IN
    SELECT p.oid FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'crdb_internal'::pg_catalog.regnamespace AND p.oid >= 12000::oid
      AND p.proname IN ('divide', 'date_pli', 'date_mii', 'jsonb_array_element',
                        'jsonb_array_element_text', 'int8shl', 'int8shr')
    ORDER BY p.oid
  LOOP
    LOOP
      wanted := (wanted::int8 + 1)::oid;
      EXIT WHEN NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc p WHERE p.oid = wanted);
    END LOOP;
    EXIT WHEN wanted >= 9999::oid;
    UPDATE pg_catalog.pg_proc SET oid = wanted WHERE oid = f.oid;
    UPDATE pg_catalog.pg_operator SET oprcode = wanted WHERE oprcode = f.oid;
    UPDATE pg_catalog.pg_depend SET objid = wanted
      WHERE classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND objid = f.oid;
    UPDATE pg_catalog.pg_depend SET refobjid = wanted
      WHERE refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND refobjid = f.oid;
  END LOOP;
END
$$;

RESET allow_system_table_mods;
