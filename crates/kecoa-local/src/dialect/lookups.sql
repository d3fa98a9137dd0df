-- What the endpoint asks of a table before an UPSERT. A session keeps the plan of a function in PL/pgSQL, so that
-- asking again takes little.

-- The columns of a table, if there is one. `is_steady`: no trigger, no cascade, no policy and no function of the
-- client's runs when a row is written, so that writing one changes nothing of what names mean.
CREATE OR REPLACE FUNCTION crdb_internal.columns_of(wanted_schema text, wanted_name text)
RETURNS TABLE (column_name text, is_key bool, is_generated bool, schema_name text, is_steady bool)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  tab record;
  is_steady bool;
BEGIN
  SELECT c.oid, n.nspname, c.relhastriggers, c.relrowsecurity, c.relkind INTO tab
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = wanted_name AND c.relkind IN ('r', 'p', 'v', 'f')
      AND CASE WHEN wanted_schema IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = wanted_schema END;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  is_steady := tab.relkind = 'r' AND NOT tab.relrowsecurity
    AND NOT (tab.relhastriggers AND (
      EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = tab.oid AND NOT t.tgisinternal)
      OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.confrelid = tab.oid AND k.confupdtype NOT IN ('a', 'r'))))
    AND NOT EXISTS (
      SELECT 1 FROM (
        SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass AS class, d.oid
          FROM pg_catalog.pg_attrdef d WHERE d.adrelid = tab.oid
        UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid
          FROM pg_catalog.pg_constraint k WHERE k.conrelid = tab.oid
        UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, i.indexrelid
          FROM pg_catalog.pg_index i WHERE i.indrelid = tab.oid
      ) AS part
      JOIN pg_catalog.pg_depend d ON d.classid = part.class AND d.objid = part.oid
      WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass);
  RETURN QUERY
    SELECT a.attname::text, a.attnum = ANY (coalesce(k.conkey, '{}')), a.attgenerated <> '' OR a.attidentity = 'a',
        tab.nspname::text, is_steady
      FROM pg_catalog.pg_attribute a
      LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
      WHERE a.attrelid = tab.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
END
$$;

