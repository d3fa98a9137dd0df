-- Operators and overloads that only PostgreSQL has, under names that CockroachDB has for other types: what names
-- them by their oids (operator classes, views) keeps them.
UPDATE pg_operator AS o SET oprnamespace = 'crdb_internal'::regnamespace
FROM (VALUES
  ('||', 'tsvector', 'tsvector'), ('||', 'tsquery', 'tsquery'), ('&&', 'tsquery', 'tsquery'),
  ('<->', 'tsquery', 'tsquery'), ('@>', 'tsquery', 'tsquery'), ('<@', 'tsquery', 'tsquery'),
  ('<->', 'text', 'text'), ('||', 'vector', 'vector')) AS f(name, l, r)
WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprname = f.name
  AND o.oprleft = to_regtype('pg_catalog.' || f.l) AND o.oprright = to_regtype('pg_catalog.' || f.r);

UPDATE pg_proc SET pronamespace = 'crdb_internal'::regnamespace
WHERE pronamespace = 'pg_catalog'::regnamespace AND oid < 8000::oid AND proname = 'to_char'
  AND proargtypes[0] IN ('int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'float4'::regtype, 'float8'::regtype);
