-- CockroachDB's functions of JSON that PostgreSQL lacks under any name.
CREATE OR REPLACE FUNCTION pg_catalog.json_remove_path(val jsonb, path text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 #- $2';

CREATE OR REPLACE FUNCTION pg_catalog.json_set(val jsonb, path text[], "to" jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.jsonb_set($1, $2, $3)';
CREATE OR REPLACE FUNCTION pg_catalog.json_set(val jsonb, path text[], "to" jsonb, create_missing bool) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.jsonb_set($1, $2, $3, $4)';

CREATE OR REPLACE FUNCTION pg_catalog.json_valid(string text) RETURNS bool
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  PERFORM string::pg_catalog.jsonb;
  RETURN true;
EXCEPTION WHEN data_exception THEN
  RETURN false;
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.jsonb_array_to_string_array(input jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(pg_catalog.array_agg(v ORDER BY n), '{}')
  FROM pg_catalog.jsonb_array_elements_text($1) WITH ORDINALITY AS e(v, n) $$;

-- What is empty stands on one line; a string has no ends of lines in it.
CREATE OR REPLACE FUNCTION pg_catalog.jsonb_pretty(val jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.regexp_replace(crdb_internal.jsonb_pretty($1), E'([{[])\n *([]}])', '\1\2', 'g') $$;
