-- What CockroachDB's catalogue has beside PostgreSQL's: columns that are added to its views.
DO $$
DECLARE
  v record;
BEGIN
  FOR v IN
    SELECT * FROM (VALUES
      ('information_schema.tables', 'version', '1::pg_catalog.int8'),
      ('information_schema.schemata', 'crdb_is_user_defined',
        'CASE WHEN q.schema_name IN (''pg_catalog'', ''information_schema'', ''crdb_internal'', ''public'') '
        'OR q.schema_name ~ ''^pg_'' THEN ''NO'' ELSE ''YES'' END')
    ) AS a(name, addition, expression)
  LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = v.name::regclass AND attname = v.addition);
    EXECUTE format('CREATE OR REPLACE VIEW %s AS SELECT q.*, %s AS %I FROM (%s) AS q', v.name, v.expression,
      v.addition, rtrim(pg_get_viewdef(v.name::regclass), ';'));
  END LOOP;
END
$$;
