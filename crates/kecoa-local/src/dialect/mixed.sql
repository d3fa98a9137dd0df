-- INT and DECIMAL may be computed with each other: what computes with decimals must fit exactly beside what
-- computes with FLOAT. INT with FLOAT, which CockroachDB refuses, is left to PostgreSQL's casts: a literal beside
-- a parameter is an INT8, and a FLOAT given for that parameter is right there.
DO $$
DECLARE
  o record;
BEGIN
  IF to_regoperator('pg_catalog.%(float8,float8)') IS NULL THEN
    CREATE OPERATOR pg_catalog.% (LEFTARG = float8, RIGHTARG = float8, FUNCTION = pg_catalog.mod);
  END IF;
  FOR o IN
    SELECT s.name, s.function, i.t, d.l, d.r
    FROM (VALUES ('+', 'add'), ('-', 'sub'), ('*', 'mul'), ('/', 'div')) AS s(name, function),
      (VALUES ('int2'), ('int4'), ('int8')) AS i(t)
      CROSS JOIN LATERAL (VALUES (i.t, 'numeric'), ('numeric', i.t)) AS d(l, r)
  LOOP
    CONTINUE WHEN to_regoperator(format('pg_catalog.%s(%s,%s)', o.name, o.l, o.r)) IS NOT NULL;
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.decimal_%1$s(%2$s, %3$s) RETURNS numeric LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT $1::pg_catalog.numeric OPERATOR(pg_catalog.%4$s) $2::pg_catalog.numeric''',
      o.function, o.l, o.r, o.name);
    EXECUTE format('CREATE OPERATOR pg_catalog.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = crdb_internal.decimal_%s)',
      o.name, o.l, o.r, o.function);
  END LOOP;
END
$$;

-- PostgreSQL 18 casts between bytes and integers.
DELETE FROM pg_cast
WHERE castsource = 'bytea'::regtype AND casttarget IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
   OR casttarget = 'bytea'::regtype AND castsource IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype);

-- A shift by less than nothing, or by all 64 bits, is refused.
CREATE OR REPLACE FUNCTION crdb_internal.shift(places int8) RETURNS int4
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF places BETWEEN 0 AND 63 THEN
    RETURN places;
  END IF;
  RAISE EXCEPTION USING ERRCODE = '22003', MESSAGE = 'shift argument out of range';
END
$$;
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT * FROM (VALUES ('<<', 'shift_left', 'int8shl'), ('>>', 'shift_right', 'int8shr')) AS s(name, function, original),
      (VALUES ('int2'), ('int4'), ('int8')) AS a(l), (VALUES ('int2'), ('int4'), ('int8')) AS b(r)
  LOOP
    -- Within the range no function is called for each row.
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.%1$s(%2$s, %3$s) RETURNS int8 LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS ''SELECT pg_catalog.%4$s($1::pg_catalog.int8, CASE WHEN $2 BETWEEN 0 AND 63 '
      'THEN $2::pg_catalog.int4 ELSE crdb_internal.shift($2::pg_catalog.int8) END)''', o.function, o.l, o.r, o.original);
    IF to_regoperator(format('pg_catalog.%s(%s,%s)', o.name, o.l, o.r)) IS NULL THEN
      EXECUTE format('CREATE OPERATOR pg_catalog.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = crdb_internal.%s)',
        o.name, o.l, o.r, o.function);
    END IF;
    UPDATE pg_operator SET oprresult = 'int8'::regtype,
      oprcode = format('crdb_internal.%s(%s,%s)', o.function, o.l, o.r)::regprocedure
    WHERE oid = to_regoperator(format('pg_catalog.%s(%s,%s)', o.name, o.l, o.r));
  END LOOP;
END
$$;

-- Functions that only PostgreSQL has are none of CockroachDB's. What names them by their oids keeps them.
UPDATE pg_proc SET pronamespace = 'crdb_internal'::regnamespace
WHERE pronamespace = 'pg_catalog'::regnamespace AND (oid < 8000::oid OR oid BETWEEN 10000::oid AND 11999::oid)
  AND proname IN (SELECT f.name FROM foreign_function f);
-- What an earlier version put in their places.
UPDATE pg_proc SET pronamespace = 'crdb_internal'::regnamespace, proname = 'earlier_' || proname
WHERE pronamespace = 'pg_catalog'::regnamespace AND oid BETWEEN 8000::oid AND 9999::oid
  AND proname IN (SELECT f.name FROM foreign_function f);
DROP TABLE foreign_function;
UPDATE pg_proc SET pronamespace = 'crdb_internal'::regnamespace
WHERE pronamespace = 'pg_catalog'::regnamespace AND oid < 8000::oid AND proname = 'random' AND pronargs = 2;
