-- PostgreSQL's catalogue as CockroachDB has it. Statements that name these in pg_catalog are sent here.

-- CREATE INDEX, as pg_indexes has it.
CREATE OR REPLACE FUNCTION crdb_internal.pg_get_indexdef(index_oid oid) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
  SELECT CASE WHEN crdb_internal.is_users(n.nspname)
    THEN 'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
      || crdb_internal.quote_name(x.relname) || ' ON '
      || crdb_internal.quote_name(pg_catalog.current_database()) || '.'
      || crdb_internal.quote_name(n.nspname) || '.' || crdb_internal.quote_name(t.relname)
      || ' USING ' || CASE WHEN crdb_internal.vector_parameters(x.oid) IS NOT NULL THEN 'cspann' ELSE m.amname END || ' ' || crdb_internal.index_text(x.oid, '::')
    ELSE pg_catalog.pg_get_indexdef(x.oid) END
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  WHERE i.indexrelid = index_oid
$$;

-- Of a unique index without a constraint, too: CockroachDB has one for each.
CREATE OR REPLACE FUNCTION crdb_internal.pg_get_constraintdef(constraint_oid oid) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
  SELECT CASE WHEN k.conrelid <> 0 AND (crdb_internal.is_users(n.nspname) OR n.nspname ~ '^pg_temp_')
    THEN crdb_internal.shown_constraint(k.oid, '::') ELSE pg_catalog.pg_get_constraintdef(k.oid) END
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
  WHERE k.oid = constraint_oid
  UNION ALL
  SELECT 'UNIQUE ' || crdb_internal.index_text(i.indexrelid, '::')
  FROM pg_catalog.pg_index i WHERE i.indexrelid = constraint_oid AND i.indisunique
$$;
CREATE OR REPLACE FUNCTION crdb_internal.pg_get_constraintdef(constraint_oid oid, pretty_bool bool) RETURNS text
LANGUAGE sql STABLE STRICT AS $$ SELECT crdb_internal.pg_get_constraintdef(constraint_oid) $$;

-- No rows for NOT NULL and for the catalogue's own tables; columns of newer servers as CockroachDB's constraints are; one for each unique index, whose oid it has where PostgreSQL has no constraint.
CREATE OR REPLACE VIEW crdb_internal.pg_constraint AS
SELECT k.oid, k.conname, k.connamespace, k.contype, k.condeferrable, k.condeferred, true AS conenforced,
  k.convalidated, k.conrelid, k.contypid, k.conindid, k.conparentid, k.confrelid, k.confupdtype,
  k.confdeltype, k.confmatchtype, k.conislocal, k.coninhcount, k.connoinherit, false AS conperiod, k.conkey,
  k.confkey, k.conpfeqop, k.conppeqop, k.conffeqop,
  NULL::pg_catalog.int2[] AS confdelsetcols, k.conexclop,
  k.conbin::pg_catalog.text AS conbin, pg_catalog.pg_get_expr(k.conbin, k.conrelid) AS consrc,
  crdb_internal.pg_get_constraintdef(k.oid) AS condef
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE k.contype <> 'n' AND (crdb_internal.is_users(n.nspname) OR n.nspname ~ '^pg_temp_')
UNION ALL
SELECT x.oid, x.relname, t.relnamespace, 'u'::pg_catalog."char", false, false, true, true, t.oid, 0::pg_catalog.oid,
  x.oid, 0::pg_catalog.oid, 0::pg_catalog.oid, ' '::pg_catalog."char", ' '::pg_catalog."char",
  ' '::pg_catalog."char", true, 0::pg_catalog.int2, true, false,
  (i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1], NULL::pg_catalog.int2[], NULL::pg_catalog.oid[],
  NULL::pg_catalog.oid[], NULL::pg_catalog.oid[], NULL::pg_catalog.int2[], NULL::pg_catalog.oid[],
  NULL::pg_catalog.text, NULL::pg_catalog.text, crdb_internal.pg_get_constraintdef(x.oid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE i.indisunique AND (crdb_internal.is_users(n.nspname) OR n.nspname ~ '^pg_temp_')
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
                  WHERE k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'));

-- How rows are found, by CockroachDB's names. Tables have no access method there.
CREATE OR REPLACE VIEW crdb_internal.pg_am AS
SELECT m.oid, (CASE m.amname WHEN 'btree' THEN 'prefix' WHEN 'gin' THEN 'inverted' ELSE m.amname END)::pg_catalog.name
  COLLATE "C" AS amname, m.amhandler, m.amtype
FROM pg_catalog.pg_am m WHERE m.amtype = 'i';


CREATE OR REPLACE VIEW pg_catalog.pg_indexes AS
SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, t.spcname AS tablespace,
  crdb_internal.pg_get_indexdef(i.oid) AS indexdef, i.oid AS crdb_oid
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = i.reltablespace
WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I');

CREATE OR REPLACE VIEW pg_catalog.pg_views AS
SELECT n.nspname AS schemaname, c.relname AS viewname, pg_catalog.pg_get_userbyid(c.relowner) AS viewowner,
  CASE WHEN crdb_internal.is_users(n.nspname) THEN crdb_internal.shown_query(c.oid)
    ELSE pg_catalog.pg_get_viewdef(c.oid) END AS definition
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v';

-- Its columns in CockroachDB's order, of users' indexes.
CREATE OR REPLACE VIEW crdb_internal.pg_indexes AS
SELECT crdb_oid, schemaname, tablename, indexname, tablespace, indexdef FROM pg_catalog.pg_indexes
WHERE crdb_internal.is_users(schemaname) OR schemaname ~ '^pg_temp_';

GRANT SELECT ON crdb_internal.pg_constraint, crdb_internal.pg_am, crdb_internal.pg_indexes TO PUBLIC;
