-- What is computed of INT2, INT4 and FLOAT4 has 64 bits, as CockroachDB has it: the columns alone are small. What
-- stores the result casts it back.
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT s.name, s.function, a.l, b.r, 'int8' AS wide
    FROM (VALUES ('+', 'add'), ('-', 'subtract'), ('*', 'multiply'), ('%', 'modulo'), ('&', 'and'), ('|', 'or'),
            ('#', 'xor')) AS s(name, function),
      (VALUES ('int2'), ('int4')) AS a(l), (VALUES ('int2'), ('int4')) AS b(r)
    UNION ALL
    SELECT s.name, s.function, 'float4', 'float4', 'float8'
    FROM (VALUES ('+', 'add'), ('-', 'subtract'), ('*', 'multiply'), ('/', 'divide')) AS s(name, function)
  LOOP
    CONTINUE WHEN to_regoperator(format('pg_catalog.%s(%s,%s)', o.name, o.l, o.r)) IS NULL;
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.wide_%1$s(%2$s, %3$s) RETURNS %4$s LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT $1::pg_catalog.%4$s OPERATOR(pg_catalog.%5$s) $2::pg_catalog.%4$s''',
      o.function, o.l, o.r, o.wide, o.name);
    UPDATE pg_operator SET oprresult = o.wide::regtype,
      oprcode = format('crdb_internal.wide_%s(%s,%s)', o.function, o.l, o.r)::regprocedure
    WHERE oid = to_regoperator(format('pg_catalog.%s(%s,%s)', o.name, o.l, o.r)) AND oprresult <> o.wide::regtype;
  END LOOP;
  FOR o IN
    SELECT s.name, s.function, a.t, 'int8' AS wide
    FROM (VALUES ('-', 'negate'), ('+', 'plus'), ('~', 'not')) AS s(name, function), (VALUES ('int2'), ('int4')) AS a(t)
    UNION ALL SELECT '-', 'negate', 'float4', 'float8'
  LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.wide_%1$s(%2$s) RETURNS %3$s LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT OPERATOR(pg_catalog.%4$s) $1::pg_catalog.%3$s''',
      o.function, o.t, o.wide, o.name);
    UPDATE pg_operator SET oprresult = o.wide::regtype,
      oprcode = format('crdb_internal.wide_%s(%s)', o.function, o.t)::regprocedure
    WHERE oid = to_regoperator(format('pg_catalog.%s(NONE,%s)', o.name, o.t)) AND oprresult <> o.wide::regtype;
  END LOOP;
END
$$;
