-- What the casts are made of.
CREATE OR REPLACE FUNCTION crdb_internal.seconds(numeric) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT $1 * '1 second'::pg_catalog.interval $$;

-- Whole seconds, the fraction cut off; with the fraction where there can be one.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['int2', 'int4', 'int8'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.as_%1$s(numeric) RETURNS %1$s LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS ''SELECT pg_catalog.floor($1)::pg_catalog.%1$s''', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['float4', 'float8', 'numeric'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.as_%1$s(numeric) RETURNS %1$s LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS ''SELECT $1::pg_catalog.%1$s''', t);
  END LOOP;
END
$$;
