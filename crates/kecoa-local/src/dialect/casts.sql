-- Casts of CockroachDB's that PostgreSQL lacks. None is implicit: they make no call ambiguous.
DO $$
DECLARE
  c record;
BEGIN
  FOR c IN
    SELECT source, target, volatility, replace(replace(body, '{n}', n.name), '{s}', source) AS body
    FROM (VALUES
      -- PostgreSQL casts between BOOL and INT4 only.
      ('bool', '{n}', 'IMMUTABLE', '$1::pg_catalog.int4::pg_catalog.{n}'),
      ('{n}', 'bool', 'IMMUTABLE', '$1 OPERATOR(pg_catalog.<>) 0::pg_catalog.{n}'),
      -- A time is seconds since 1970, a day is a day since then.
      ('timestamptz', '{n}', 'IMMUTABLE', 'crdb_internal.as_{n}(crdb_internal."extract"(''epoch'', $1))'),
      ('timestamp', '{n}', 'IMMUTABLE', 'crdb_internal.as_{n}(crdb_internal."extract"(''epoch'', $1))'),
      ('interval', '{n}', 'IMMUTABLE', 'crdb_internal.as_{n}(crdb_internal."extract"(''epoch'', $1))'),
      ('date', '{n}', 'IMMUTABLE', '($1 OPERATOR(pg_catalog.-) ''1970-01-01''::pg_catalog.date)::pg_catalog.{n}'),
      ('{n}', 'interval', 'IMMUTABLE', 'crdb_internal.seconds($1::pg_catalog.numeric)')
    ) AS v(source0, target0, volatility, body),
    (VALUES ('int2'), ('int4'), ('int8'), ('float4'), ('float8'), ('numeric')) AS n(name)
    CROSS JOIN LATERAL (SELECT replace(source0, '{n}', n.name), replace(target0, '{n}', n.name)) AS t(source, target)
    UNION ALL
    SELECT i, t, 'IMMUTABLE', CASE t
        WHEN 'date' THEN '''1970-01-01''::pg_catalog.date OPERATOR(pg_catalog.+) $1::pg_catalog.int4'
        WHEN 'timestamp' THEN '''1970-01-01''::pg_catalog.timestamp OPERATOR(pg_catalog.+) crdb_internal.seconds($1::pg_catalog.numeric)'
        ELSE '''1970-01-01 00:00:00+00''::pg_catalog.timestamptz OPERATOR(pg_catalog.+) crdb_internal.seconds($1::pg_catalog.numeric)' END
    FROM unnest(ARRAY['int2', 'int4', 'int8']) AS i, unnest(ARRAY['date', 'timestamp', 'timestamptz']) AS t
    UNION ALL SELECT 'uuid', 'bytea', 'IMMUTABLE', 'pg_catalog.uuid_send($1)'
    UNION ALL SELECT 'bytea', 'uuid', 'IMMUTABLE', 'crdb_internal.uuid_of($1)'
  LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM pg_cast
      WHERE castsource = c.source::regtype AND casttarget = c.target::regtype);
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.%1$s_to_%2$s(%1$s) RETURNS %2$s LANGUAGE sql %3$s STRICT '
      'PARALLEL SAFE AS %4$L', c.source, c.target, c.volatility, 'SELECT ' || c.body);
    EXECUTE format('CREATE CAST (%1$s AS %2$s) WITH FUNCTION crdb_internal.%1$s_to_%2$s(%1$s)', c.source, c.target);
  END LOOP;
END
$$;
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_cast WHERE castsource = 'text'::regtype AND casttarget = 'uuid'::regtype) THEN
    CREATE CAST (text AS uuid) WITH FUNCTION crdb_internal.text_to_uuid(text);
  END IF;
END
$$;

-- The text of an address has no mask that says nothing.
UPDATE pg_cast SET castfunc = 0, castmethod = 'i'
WHERE castsource = 'inet'::regtype AND casttarget IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype);
