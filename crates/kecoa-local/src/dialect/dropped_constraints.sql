-- A UNIQUE constraint goes with its index, and a primary key when another takes its place.
CREATE OR REPLACE FUNCTION crdb_internal.check_dropped_constraint(tab text, wanted text, replaced bool) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  kind "char" := (SELECT k.contype FROM pg_catalog.pg_constraint k
                  WHERE k.conrelid = pg_catalog.to_regclass(tab) AND k.conname = wanted);
BEGIN
  IF kind = 'u' THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format('unimplemented: cannot drop UNIQUE constraint '
      '"%s" using ALTER TABLE DROP CONSTRAINT, use DROP INDEX CASCADE instead', wanted),
      HINT = pg_catalog.format('DROP INDEX %s@%I CASCADE', tab, wanted);
  ELSIF kind = 'p' AND NOT replaced THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format('unimplemented: primary key "%s" dropped '
      'without subsequent addition of new primary key in same transaction', wanted),
      HINT = 'add the new one in the same ALTER TABLE, or ALTER PRIMARY KEY USING COLUMNS (…)';
  END IF;
END
$$;
