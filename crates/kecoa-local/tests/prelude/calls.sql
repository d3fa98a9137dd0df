-- Calls of every function in `names`, by each way that a client may write an argument of its type.
CREATE TEMP TABLE calls AS
WITH subject AS (
  SELECT p.oid, p.proname, p.proargtypes::oid[] AS args, p.prokind FROM pg_proc p
  WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'w', 'a')
    AND p.proname IN (SELECT name FROM names) AND p.pronargs <= 4
    AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
), choice AS (
  SELECT s.oid, a.n, unnest(CASE
    WHEN a.t IN ('int2', 'int4', 'int8') THEN ARRAY['NULL::int2', 'NULL::int4', 'NULL::int8', '''1''']
    WHEN a.t = 'text' THEN ARRAY['NULL::text', 'NULL::varchar', 'NULL::name', '''1''']
    WHEN a.t IN ('numeric', 'float8')
      THEN ARRAY['NULL::numeric', 'NULL::float8', 'NULL::int4', 'NULL::int8', '''1''']
    WHEN a.t IN ('anyarray', 'anycompatiblearray')
      THEN ARRAY['NULL::int2vector', 'NULL::int4[]', 'NULL::int8[]', 'NULL::text[]']
    WHEN a.t IN ('anyelement', 'anycompatible', 'any')
      THEN ARRAY['NULL::int4', 'NULL::int8', 'NULL::text', 'NULL::varchar']
    ELSE ARRAY['NULL::' || format_type(a.o, NULL), '''1'''] END) AS arg
  FROM subject s CROSS JOIN LATERAL (
    SELECT o, n, (SELECT typname FROM pg_type WHERE oid = o) FROM unnest(s.args) WITH ORDINALITY AS u(o, n)
  ) AS a(o, n, t)
)
SELECT DISTINCT format('SELECT %I(%s)%s', s.proname, concat_ws(', ', c1.arg, c2.arg, c3.arg, c4.arg),
  CASE s.prokind WHEN 'w' THEN ' OVER ()' ELSE '' END) AS sql
FROM subject s
LEFT JOIN choice c1 ON c1.oid = s.oid AND c1.n = 1 LEFT JOIN choice c2 ON c2.oid = s.oid AND c2.n = 2
LEFT JOIN choice c3 ON c3.oid = s.oid AND c3.n = 3 LEFT JOIN choice c4 ON c4.oid = s.oid AND c4.n = 4;
