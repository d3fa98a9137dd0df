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

-- What CockroachDB makes of its own tables and views is a system view.
DO $$
DECLARE
  own text := 'q.table_schema::pg_catalog.text IN (''pg_catalog'', ''information_schema'', ''crdb_internal'')';
  columns text;
BEGIN
  IF pg_get_viewdef('information_schema.tables'::regclass) ~ 'SYSTEM VIEW' THEN
    RETURN;
  END IF;
  SELECT string_agg(CASE attname
      WHEN 'table_type' THEN format('(CASE WHEN %s THEN ''SYSTEM VIEW'' ELSE q.table_type END)'
        '::information_schema.character_data AS table_type', own)
      WHEN 'is_insertable_into' THEN format('(CASE WHEN %s THEN ''NO'' ELSE q.is_insertable_into END)'
        '::information_schema.yes_or_no AS is_insertable_into', own)
      ELSE format('q.%I', attname) END, ', ' ORDER BY attnum)
  INTO columns FROM pg_attribute WHERE attrelid = 'information_schema.tables'::regclass AND attnum > 0;
  EXECUTE format('CREATE OR REPLACE VIEW information_schema.tables AS SELECT %s FROM (%s) AS q', columns,
    rtrim(pg_get_viewdef('information_schema.tables'::regclass), ';'));
END
$$;
