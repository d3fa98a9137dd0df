-- Tables of pg_catalog without what is the endpoint's own or only PostgreSQL's: helpers in crdb_internal, triggers
-- that stand for ON UPDATE, TOAST, system columns, dropped columns. Statements that name these in pg_catalog are sent
-- here. The columns are the server's, whichever version it is; some have CockroachDB's values.
DO $$
DECLARE
  ours constant text := '(SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = ''crdb_internal'')';
  toast constant text := '(SELECT t.oid FROM pg_catalog.pg_class t WHERE t.relnamespace = 99::oid OR t.relkind = ''t'')';
  hidden constant text := '(SELECT t.oid FROM pg_catalog.pg_class t WHERE t.relnamespace = 99::oid OR t.relkind = ''t'' '
    'OR t.relnamespace = ' || ours || ' AND crdb_internal.is_own(''crdb_internal'', t.relname))';
  trigger constant text := 'NOT g.tgisinternal AND g.tgname NOT LIKE ''crdb\_internal\_%''';
  v record;
  columns text;
BEGIN
  FOR v IN
    SELECT * FROM (VALUES
      ('pg_namespace', jsonb_build_object('nspowner', 'CASE q.nspowner WHEN 6171::oid THEN (SELECT d.datdba '
          'FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) ELSE q.nspowner END'),
        'q.nspname NOT LIKE ''pg\_toast%'''),
      ('pg_class', jsonb_build_object(
          -- An index that lies aside is in its table's schema.
          'relnamespace', 'CASE WHEN q.relkind IN (''i'', ''I'') THEN coalesce((SELECT t.relnamespace '
            'FROM pg_catalog.pg_class t WHERE t.oid = q.relnamespace), q.relnamespace) ELSE q.relnamespace END',
          'relam', 'CASE WHEN q.relkind IN (''i'', ''I'') THEN q.relam ELSE 0::oid END',
          'reltoastrelid', '0::oid', 'relhasrules', 'false',
          'relhastriggers', 'q.relhastriggers AND EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = q.oid AND '
            || trigger || ')'),
        'q.relnamespace <> 99::oid AND q.relkind <> ''t'' AND NOT (q.relkind = ''i'' AND q.relname LIKE ''pg\_toast\_%'') '
        'AND (q.relnamespace <> ' || ours || ' OR NOT crdb_internal.is_own(''crdb_internal'', q.relname))'),
      -- No column of a view is of the type anyarray.
      ('pg_attribute', '{"attmissingval": "q.attmissingval::text"}', 'q.attnum > 0 AND NOT q.attisdropped AND q.attrelid NOT IN ' || hidden),
      ('pg_index', '{}', 'q.indrelid NOT IN ' || toast),
      ('pg_type', '{}', 'q.typnamespace <> 99::oid AND (q.typnamespace <> ' || ours || ' OR EXISTS (SELECT 1 '
        'FROM pg_catalog.pg_class t WHERE t.oid = q.typrelid AND NOT crdb_internal.is_own(''crdb_internal'', t.relname)))'),
      ('pg_proc', '{}', 'q.pronamespace <> ' || ours || ' OR q.proname IN (''active_version'', ''approximate_timestamp'', '
        '''clear_query_plan_cache'', ''clear_table_stats_cache'', ''cluster_id'', ''cluster_name'', ''fips_ready'', '
        '''force_assertion_error'', ''force_error'', ''force_retry'', ''get_database_id'', '
        '''get_fully_qualified_table_name'', ''get_namespace_id'', ''humanize_bytes'', ''increment_feature_counter'', '
        '''is_admin'', ''is_at_least_version'', ''locality_value'', ''node_executable_version'', ''node_id'', ''notice'', '
        '''round_decimal_values'', ''show_create_all_routines'', ''show_create_all_schemas'', '
        '''show_create_all_tables'', ''show_create_all_types'', ''trace_id'', ''void_func'')'),
      ('pg_trigger', '{}', replace(trigger, 'g.', 'q.')),
      ('pg_event_trigger', '{}', 'q.evtname NOT LIKE ''crdb\_internal\_%'''),
      ('pg_operator', '{}', 'q.oprnamespace <> ' || ours),
      ('pg_extension', '{}', 'q.extnamespace <> ' || ours),
      ('pg_sequence', '{}', 'q.seqrelid NOT IN ' || hidden),
      ('pg_database', '{}', 'NOT q.datistemplate')
    ) AS a(name, others, condition)
  LOOP
    SELECT string_agg(CASE WHEN v.others ->> attname IS NULL THEN format('q.%I', attname)
        ELSE format('(%s)::%s AS %I', v.others ->> attname, replace(atttypid::regtype::text, 'anyarray', 'text[]'), attname) END, ', ' ORDER BY attnum)
      INTO columns
    FROM pg_attribute
    WHERE attrelid = format('pg_catalog.%I', v.name)::regclass AND attnum > 0 AND NOT attisdropped;
    CALL crdb_internal.replace_view('crdb_internal', v.name,
      format('SELECT %s FROM pg_catalog.%I AS q WHERE %s', columns, v.name, v.condition));
  END LOOP;
END
$$;

CALL crdb_internal.replace_view('pg_catalog', 'pg_tables', $view$
SELECT n.nspname AS schemaname, c.relname AS tablename, pg_catalog.pg_get_userbyid(c.relowner) AS tableowner,
  t.spcname AS tablespace, c.relhasindex AS hasindexes, false AS hasrules,
  c.relhastriggers AND EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal
    AND g.tgname NOT LIKE 'crdb\_internal\_%') AS hastriggers,
  c.relrowsecurity AS rowsecurity
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p')
$view$);

CALL crdb_internal.replace_view('pg_catalog', 'pg_matviews', $view$
SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_catalog.pg_get_userbyid(c.relowner) AS matviewowner,
  t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relispopulated AS ispopulated,
  crdb_internal.shown_query(c.oid) AS definition
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relkind = 'm'
$view$);

CALL crdb_internal.replace_view('pg_catalog', 'pg_sequences', $view$
SELECT n.nspname AS schemaname, c.relname AS sequencename, pg_catalog.pg_get_userbyid(c.relowner) AS sequenceowner,
  s.seqtypid::regtype AS data_type, s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value,
  s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size,
  CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT,USAGE') THEN pg_catalog.pg_sequence_last_value(c.oid) END
    AS last_value
FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT pg_catalog.pg_is_other_temp_schema(n.oid) AND crdb_internal.is_listed(n.oid, n.nspname)
$view$);
