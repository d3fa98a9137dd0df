-- `%` of numbers alone: with the one of trigrams beside them, two parameters would be strings.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['int8', 'numeric', 'float8'] LOOP
    IF to_regoperator(format('crdb_internal.%%(%s,%s)', t, t)) IS NULL THEN
      EXECUTE format('CREATE OPERATOR crdb_internal.%% (LEFTARG = %s, RIGHTARG = %s, FUNCTION = pg_catalog.mod)', t, t);
    END IF;
  END LOOP;
  IF to_regoperator('crdb_internal.%(crdb_internal.whole_mark,crdb_internal.whole_mark)') IS NULL THEN
    CREATE OPERATOR crdb_internal.% (LEFTARG = crdb_internal.whole_mark, RIGHTARG = crdb_internal.whole_mark,
      FUNCTION = crdb_internal.undecided);
  END IF;
END
$$;
