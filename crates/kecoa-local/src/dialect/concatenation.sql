-- A BOOL beside a STRING is a letter, as it is in a result.
CREATE OR REPLACE FUNCTION crdb_internal.concatenate(l bool, r text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT CASE WHEN l THEN 't' ELSE 'f' END || r $$;
CREATE OR REPLACE FUNCTION crdb_internal.concatenate(l text, r bool) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT l || CASE WHEN r THEN 't' ELSE 'f' END $$;
DO $$
BEGIN
  IF to_regoperator('pg_catalog.||(bool, text)') IS NULL THEN
    CREATE OPERATOR pg_catalog.|| (LEFTARG = bool, RIGHTARG = text, FUNCTION = crdb_internal.concatenate);
    CREATE OPERATOR pg_catalog.|| (LEFTARG = text, RIGHTARG = bool, FUNCTION = crdb_internal.concatenate);
  END IF;
END
$$;
