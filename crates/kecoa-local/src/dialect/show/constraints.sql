-- Constraints and statistics as CockroachDB lists them.

-- The rows of SHOW CONSTRAINTS. Every unique index is a constraint in CockroachDB.
CREATE OR REPLACE FUNCTION crdb_internal.shown_constraints(tab oid)
RETURNS TABLE (constraint_name text, constraint_type text, details text, validated bool,
               comment text)
LANGUAGE sql STABLE STRICT AS $$
  SELECT k.conname::text, CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE'
      WHEN 'f' THEN 'FOREIGN KEY' WHEN 'c' THEN 'CHECK' ELSE k.contype::text END,
    crdb_internal.shown_constraint(k.oid, '::'), k.convalidated,
    pg_catalog.obj_description(k.oid, 'pg_constraint')
  FROM pg_catalog.pg_constraint k WHERE k.conrelid = tab AND k.contype <> 'n'
  UNION ALL
  SELECT x.relname::text, 'UNIQUE', 'UNIQUE ' || crdb_internal.index_text(i.indexrelid, '::'), true, NULL
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  WHERE i.indrelid = tab AND i.indisunique
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid
                    AND k.conrelid = tab)
  UNION ALL
  SELECT crdb_internal.hidden_key_name(t.oid), 'PRIMARY KEY', 'PRIMARY KEY (rowid ASC)', true, NULL
  FROM crdb_internal.shown_columns(tab) AS c JOIN pg_catalog.pg_class t ON t.oid = tab
  WHERE c.hidden
$$;

-- What ANALYZE found, as SHOW STATISTICS lists it.
CREATE OR REPLACE FUNCTION crdb_internal.shown_statistics(tab oid)
RETURNS TABLE (statistics_name text, column_names text[], created timestamptz, row_count int8,
               distinct_count int8, null_count int8, avg_size int8, partial_predicate text,
               histogram_id int8, full_histogram_id int8)
LANGUAGE sql STABLE STRICT AS $$
  SELECT '__auto__', ARRAY[s.attname::text],
    greatest(u.last_analyze, u.last_autoanalyze), greatest(c.reltuples, 0)::int8,
    CASE WHEN s.n_distinct >= 0 THEN s.n_distinct ELSE -s.n_distinct * c.reltuples END::int8,
    (s.null_frac * c.reltuples)::int8, s.avg_width::int8, NULL::text, 0::int8, 0::int8
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
  JOIN pg_catalog.pg_attribute a ON a.attrelid = tab AND a.attname = s.attname
  LEFT JOIN pg_catalog.pg_stat_all_tables u ON u.relid = tab
  WHERE c.oid = tab ORDER BY a.attnum
$$;
