-- What a view reads keeps its name: CockroachDB keeps a view's query by names.
CREATE OR REPLACE FUNCTION crdb_internal.check_renamed(tab text, col text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  reader text;
BEGIN
  SELECT v.relname INTO reader
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
  JOIN pg_catalog.pg_class v ON v.oid = w.ev_class
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refobjid = pg_catalog.to_regclass(tab) AND v.oid <> d.refobjid
    AND (col IS NULL OR a.attname = col)
  ORDER BY v.relname LIMIT 1;
  IF reader IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '2BP01', MESSAGE = pg_catalog.format(
      'cannot rename %s "%s" because view "%s" depends on it', CASE WHEN col IS NULL THEN 'relation' ELSE 'column' END,
      coalesce(col, (SELECT c.relname::pg_catalog.text FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(tab))), reader);
  END IF;
END
$$;
