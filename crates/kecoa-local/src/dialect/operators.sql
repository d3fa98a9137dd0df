-- Division as CockroachDB has it: / of two integers is a DECIMAL, // cuts towards zero.
--
-- PostgreSQL finds pg_catalog's operators first whatever the search path is, so it is these rows
-- that must say another function. Views and defaults that exist already keep the one they name.
SET allow_system_table_mods = on;

UPDATE pg_operator SET oprcode = 'crdb_internal.divide(numeric,numeric)'::regprocedure
WHERE oprname = '/' AND oprnamespace = 'pg_catalog'::regnamespace
  AND oprleft = 'numeric'::regtype AND oprright = 'numeric'::regtype
  AND oprcode <> 'crdb_internal.divide(numeric,numeric)'::regprocedure;

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
      '''SELECT crdb_internal.divide($1::pg_catalog.numeric, $2::pg_catalog.numeric)''',
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

-- In a definition, where nothing says how far an operand goes, a // b arrives as a / crdb_internal.whole() / b,
-- which keeps the precedence of a division: the first / makes a dividend that remembers, the second one divides
-- and cuts.
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

-- Elsewhere it arrives as it is, in brackets where it needs them. An operator has one operand on each side, so
-- that a parameter beside a number gets that one's type. What fits nothing but the mark makes a choice
-- of two parameters impossible, as it is in CockroachDB: else they would be taken for FLOAT.
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT a.l, b.r, CASE WHEN greatest(a.rank, b.rank) = 1 THEN 'int8' ELSE 'numeric' END AS result
    FROM (VALUES ('int2', 1), ('int4', 1), ('int8', 1), ('numeric', 2)) AS a(l, rank),
      (VALUES ('int2', 1), ('int4', 1), ('int8', 1), ('numeric', 2)) AS b(r, rank)
    UNION ALL SELECT 'float8', 'float8', 'float8'
  LOOP
    CONTINUE WHEN to_regoperator(format('pg_catalog.//(%s,%s)', o.l, o.r)) IS NOT NULL;
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.divide_whole(%s, %s) RETURNS %s LANGUAGE sql IMMUTABLE '
      'STRICT PARALLEL SAFE AS ''SELECT %s''', o.l, o.r, o.result,
      CASE o.result
        WHEN 'int8' THEN 'pg_catalog.int8div($1::pg_catalog.int8, $2::pg_catalog.int8)'
        WHEN 'numeric' THEN 'pg_catalog.div($1::pg_catalog.numeric, $2::pg_catalog.numeric)'
        ELSE 'pg_catalog.trunc(pg_catalog.float8div($1, $2))' END);
    EXECUTE format('CREATE OPERATOR pg_catalog.// (LEFTARG = %s, RIGHTARG = %s, FUNCTION = crdb_internal.divide_whole)',
      o.l, o.r);
  END LOOP;
  CREATE OR REPLACE FUNCTION crdb_internal.undecided(crdb_internal.whole_mark, crdb_internal.whole_mark) RETURNS void
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS '';
  FOR o IN SELECT * FROM (VALUES ('//'), ('%'), ('^')) AS v(name) LOOP
    CONTINUE WHEN to_regoperator(
      format('pg_catalog.%s(crdb_internal.whole_mark,crdb_internal.whole_mark)', o.name)) IS NOT NULL;
    EXECUTE format('CREATE OPERATOR pg_catalog.%s (LEFTARG = crdb_internal.whole_mark, '
      'RIGHTARG = crdb_internal.whole_mark, FUNCTION = crdb_internal.undecided)', o.name);
  END LOOP;
END
$$;

-- INT is 64 bits wide: where an operator takes an int4, it takes an int8 too. Beside each stands the
-- int2 that a driver may send for a small number, which would otherwise fit two.
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT * FROM (VALUES
      ('date', '+', 'date', 'date_pli'), ('date', '-', 'date', 'date_mii'),
      ('jsonb', '->', 'jsonb', 'jsonb_array_element'),
      ('jsonb', '->>', 'text', 'jsonb_array_element_text')
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

-- Where nothing but the int4 fits an untyped literal, a second one would be one too many: the operator
-- itself becomes one of int8.
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT * FROM (VALUES
      ('bit', '<<', 'int4', 'int8', 'bit', 'pg_catalog.bitshiftleft($1, $2::pg_catalog.int4)'),
      ('bit', '>>', 'int4', 'int8', 'bit', 'pg_catalog.bitshiftright($1, $2::pg_catalog.int4)'),
      ('jsonb', '-', 'int4', 'int8', 'jsonb', 'pg_catalog.jsonb_delete($1, $2::pg_catalog.int4)'),
      ('xid', '=', 'int4', 'int8', 'bool', '$1::pg_catalog.text::pg_catalog.int8 = $2'),
      ('xid', '<>', 'int4', 'int8', 'bool', '$1::pg_catalog.text::pg_catalog.int8 <> $2')
    ) AS v(l, name, old, r, result, body)
  LOOP
    CONTINUE WHEN to_regoperator(format('pg_catalog.%s(%s,%s)', o.name, o.l, o.r)) IS NOT NULL;
    EXECUTE format('CREATE FUNCTION crdb_internal.%I(%s, %s) RETURNS %s LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS %L',
      o.l || CASE o.name WHEN '<<' THEN '_left' WHEN '>>' THEN '_right' WHEN '-' THEN '_delete'
               WHEN '=' THEN '_is' ELSE '_is_not' END, o.l, o.r, o.result, 'SELECT ' || o.body);
    UPDATE pg_operator SET oprright = o.r::regtype,
      oprcode = format('crdb_internal.%I', o.l || CASE o.name WHEN '<<' THEN '_left' WHEN '>>' THEN '_right'
               WHEN '-' THEN '_delete' WHEN '=' THEN '_is' ELSE '_is_not' END)::regproc
    WHERE oid = to_regoperator(format('pg_catalog.%s(%s,%s)', o.name, o.l, o.old));
  END LOOP;
  FOR o IN SELECT * FROM (VALUES ('int8'), ('int2')) AS v(l) LOOP
    CONTINUE WHEN to_regoperator(format('pg_catalog.+(%s,date)', o.l)) IS NOT NULL;
    EXECUTE format('CREATE FUNCTION crdb_internal.date_pli(%s, date) RETURNS date LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS ''SELECT pg_catalog.date_pli($2, $1::pg_catalog.int4)''', o.l);
    EXECUTE format('CREATE OPERATOR pg_catalog.+ (LEFTARG = %s, RIGHTARG = date, FUNCTION = crdb_internal.date_pli, '
      'COMMUTATOR = OPERATOR(pg_catalog.+))', o.l);
  END LOOP;
  -- ^ of integers is an integer, of decimals a decimal of 20 digits.
  FOR o IN SELECT * FROM (VALUES ('int2'), ('int4'), ('int8')) AS v(l) LOOP
    CONTINUE WHEN to_regoperator(format('pg_catalog.^(%s,%s)', o.l, o.l)) IS NOT NULL;
    EXECUTE format('CREATE OPERATOR pg_catalog.^ (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = pg_catalog.power)', o.l);
  END LOOP;
  UPDATE pg_operator SET oprcode = 'pg_catalog.power(numeric,numeric)'::regprocedure
  WHERE oprname = '^' AND oprleft = 'numeric'::regtype AND oprright = 'numeric'::regtype
    AND oprnamespace = 'pg_catalog'::regnamespace;
END
$$;

-- The days between two dates are an INT8; the C function's int4 is one as it is.
DO $$
BEGIN
  CREATE OR REPLACE FUNCTION crdb_internal.date_minus_date(date, date) RETURNS int8
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'date_mi';
  UPDATE pg_operator SET oprcode = 'crdb_internal.date_minus_date'::regproc, oprresult = 'int8'::regtype
  WHERE oprname = '-' AND oprleft = 'date'::regtype AND oprright = 'date'::regtype
    AND oprnamespace = 'pg_catalog'::regnamespace;
END
$$;

-- A root of a DECIMAL is one.
DO $$
BEGIN
  IF to_regoperator('pg_catalog.|/(NONE,numeric)') IS NULL THEN
    CREATE OPERATOR pg_catalog.|/ (RIGHTARG = numeric, FUNCTION = pg_catalog.sqrt);
    CREATE OPERATOR pg_catalog.||/ (RIGHTARG = numeric, FUNCTION = pg_catalog.cbrt);
  END IF;
END
$$;
