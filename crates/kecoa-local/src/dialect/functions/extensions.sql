-- Types, functions and operators that CockroachDB has built in, and PostgreSQL's package in extensions: where
-- they are, every database has them, in pg_catalog, where CockroachDB's are. A package that is broken is as
-- good as none: its types do not exist then.
-- They come first, for they call what is put aside later.
SET allow_system_table_mods = on;
DO $$
DECLARE
  e record;
BEGIN
  FOR e IN
    SELECT a.name FROM pg_available_extensions AS a
    WHERE a.name IN ('citext', 'pg_trgm', 'unaccent', 'vector') AND a.installed_version IS NULL
    ORDER BY a.name
  LOOP
    BEGIN
      EXECUTE format('CREATE EXTENSION %I SCHEMA pg_catalog', e.name);
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
  END LOOP;
  -- A CITEXT is a string for functions: else two literals would be two of them for some, and no string.
  FOR e IN
    SELECT p.oid::regprocedure AS function FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension x ON d.refclassid = 'pg_extension'::regclass AND x.oid = d.refobjid
    WHERE x.extname = 'citext' AND x.extnamespace = 'pg_catalog'::regnamespace
      AND p.proname IN ('regexp_match', 'regexp_matches', 'regexp_replace', 'regexp_split_to_array',
        'regexp_split_to_table', 'replace', 'split_part', 'strpos', 'translate')
  LOOP
    EXECUTE format('ALTER EXTENSION citext DROP FUNCTION %s', e.function);
    EXECUTE format('DROP FUNCTION %s', e.function);
  END LOOP;
  -- CockroachDB does not have all of theirs.
  UPDATE pg_proc SET pronamespace = 'crdb_internal'::regnamespace
  WHERE pronamespace = 'pg_catalog'::regnamespace AND oid >= 16384::oid
    AND proname IN ('binary_quantize', 'l2_normalize', 'set_limit', 'show_limit', 'strict_word_similarity',
      'subvector', 'word_similarity');
  -- Its vectors are those of FLOAT4 alone, so that a literal is one of them.
  UPDATE pg_proc p SET pronamespace = 'crdb_internal'::regnamespace
  WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.oid >= 16384::oid
    AND p.proname IN ('avg', 'cosine_distance', 'inner_product', 'l1_distance', 'l2_distance', 'sum', 'vector_dims',
      'vector_norm')
    AND EXISTS (SELECT FROM pg_type t WHERE t.oid = ANY (p.proargtypes::oid[]) AND t.typname IN ('halfvec', 'sparsevec'));
  -- The share of trigrams that two strings have in common, with all the digits of a FLOAT8.
  UPDATE pg_proc SET pronamespace = 'crdb_internal'::regnamespace
  WHERE pronamespace = 'pg_catalog'::regnamespace AND oid >= 16384::oid
    AND proname = 'similarity' AND prorettype = 'float4'::regtype;
  IF FOUND THEN
    CREATE FUNCTION pg_catalog.similarity("left" text, "right" text) RETURNS float8
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $sql$
      SELECT coalesce(c.common / nullif(t.total - c.common, 0), 0) FROM
        (SELECT crdb_internal.similarity($1, $2)::pg_catalog.float8 AS share,
          (pg_catalog.cardinality(pg_catalog.show_trgm($1))
            + pg_catalog.cardinality(pg_catalog.show_trgm($2)))::pg_catalog.float8 AS total) AS t,
        LATERAL (SELECT pg_catalog.round(t.share * t.total / (1 + t.share)) AS common) AS c
    $sql$;
  END IF;
  -- The other functions of fuzzystrmatch are ours already.
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'fuzzystrmatch') THEN
    BEGIN
      CREATE OR REPLACE FUNCTION crdb_internal.metaphone(source text, max_output_length int4) RETURNS text
      LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS '$libdir/fuzzystrmatch', 'metaphone';
      CREATE OR REPLACE FUNCTION pg_catalog.metaphone(source text, max_output_length int8) RETURNS text
      LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT crdb_internal.metaphone($1, $2::pg_catalog.int4)';
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
  END IF;
END
$$;
