
-- Collations by the names of languages, so that columns keep theirs. No order is behind them but that of
-- the code points: PostgreSQL's package knows no language's.
DO $$
DECLARE
  language text;
BEGIN
  FOR language IN
    SELECT l FROM pg_catalog.regexp_split_to_table(pg_catalog.btrim(pg_catalog.current_setting('kecoa.languages'), E' \n'), E'\n') AS l
    WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_collation c
                      WHERE c.collname = l AND c.collnamespace = 'pg_catalog'::regnamespace)
  LOOP
    EXECUTE pg_catalog.format('CREATE COLLATION pg_catalog.%I FROM pg_catalog."C"', language);
  END LOOP;
END
$$;
RESET kecoa.languages;
