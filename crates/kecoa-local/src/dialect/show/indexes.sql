-- Tables' columns and indexes as CockroachDB lists them.

-- Whether a schema is a user's, and not the server's or the endpoint's.
CREATE OR REPLACE FUNCTION crdb_internal.is_users(schema name) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT schema NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')
    AND schema !~ '^pg_(toast|temp)'
$$;

-- The table of a name, or the error that CockroachDB has for one that is missing.
CREATE OR REPLACE FUNCTION crdb_internal.shown_relation(name text) RETURNS oid
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  found regclass := pg_catalog.to_regclass(name);
BEGIN
  IF found IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42P01',
      MESSAGE = pg_catalog.format('relation "%s" does not exist', pg_catalog.replace(name, '"', ''));
  END IF;
  RETURN found;
END
$$;

-- The columns of a table. One without a primary key has CockroachDB's hidden rowid. Functions that give rows are
-- not STRICT where their callers shall have their bodies instead of them, without the columns they do not ask for.
CREATE OR REPLACE FUNCTION crdb_internal.shown_columns(tab oid)
RETURNS TABLE (place int8, name text, type text, nullable bool, expression text, generated "char",
               identity "char", hidden bool, comment text)
LANGUAGE sql STABLE AS $$
  SELECT a.attnum::int8, a.attname::text, crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage)
      || coalesce(' COLLATE ' || crdb_internal.quote_name(l.collname), ''),
    NOT a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity,
    false, (SELECT d.description FROM pg_catalog.pg_description d WHERE d.objoid = a.attrelid
      AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = a.attnum)
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_collation l
    ON l.oid = a.attcollation AND a.attcollation <> y.typcollation
  WHERE a.attrelid = tab AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT 32767, 'rowid', 'INT8', false, 'unique_rowid()', '', '', true, NULL
  FROM pg_catalog.pg_class c
  WHERE c.oid = tab AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = tab AND i.indisprimary)
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = tab AND a.attname = 'rowid')
$$;

-- An index's own columns: of an expression there is no name, but the text. The name is looked up one by
-- one: behind a join, the planner would read all columns of the database, expecting a thousand keys.
-- A vector (`vector_index.rs`) is shown as the column that it is.
CREATE OR REPLACE FUNCTION crdb_internal.index_keys(index oid)
RETURNS TABLE (place int8, name text, expression text, direction text, storing bool)
LANGUAGE sql STABLE AS $$
  SELECT s.n::int8,
    CASE WHEN i.indkey[s.n - 1] = 0 THEN
      (SELECT a.attname::text FROM pg_catalog.pg_attribute a
       WHERE a.attrelid = i.indrelid AND pg_catalog.quote_ident(a.attname) = (crdb_internal.indexed_vector(e.text)).name)
      ELSE (SELECT a.attname::text FROM pg_catalog.pg_attribute a
       WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[s.n - 1] AND a.attnum > 0) END,
    CASE WHEN e.text NOT LIKE 'crdb_internal.of_vector(%' THEN e.text END,
    CASE WHEN s.n > i.indnkeyatts THEN 'N/A'
      WHEN i.indoption[s.n - 1] & 1 = 1 THEN 'DESC'
      ELSE 'ASC' END,
    s.n > i.indnkeyatts
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnatts::int4) AS s(n)
  CROSS JOIN LATERAL (SELECT CASE WHEN i.indkey[s.n - 1] = 0
    THEN pg_catalog.pg_get_indexdef(index, s.n::int4, false) END) AS e(text)
  WHERE i.indexrelid = index
$$;

-- The parameters of a vector index; NULL for other indexes.
CREATE OR REPLACE FUNCTION crdb_internal.vector_parameters(index oid) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
  SELECT (crdb_internal.indexed_vector(pg_catalog.pg_get_indexdef(index, i.indnkeyatts, false))).parameters
  FROM pg_catalog.pg_index i WHERE i.indexrelid = index AND i.indkey[i.indnkeyatts - 1] = 0
$$;

-- The rows of SHOW INDEXES: behind a primary key's columns all others, behind a secondary index's
-- the primary key's.
CREATE OR REPLACE FUNCTION crdb_internal.shown_indexes(tab oid)
RETURNS TABLE (index_id oid, index_name text, non_unique bool, seq_in_index int8, column_name text,
               definition text, direction text, storing bool, implicit bool)
LANGUAGE sql STABLE AS $$
  WITH columns AS MATERIALIZED (
    SELECT c.place, c.name, c.hidden FROM crdb_internal.shown_columns(tab) AS c
    WHERE c.generated <> 'v'
  ), indexes AS (
    SELECT i.indexrelid AS id, x.relname::text AS name, i.indisunique AS is_unique,
      i.indisprimary AS is_primary
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = tab
    UNION ALL
    SELECT 0, crdb_internal.hidden_key_name(t.oid), true, true
    FROM pg_catalog.pg_class t WHERE t.oid = tab AND EXISTS (SELECT 1 FROM columns AS c WHERE c.hidden)
  ), keys AS MATERIALIZED (
    SELECT i.id, 1 AS part, k.place, k.name, k.expression, k.direction, k.storing, false AS implicit
    FROM indexes AS i CROSS JOIN LATERAL crdb_internal.index_keys(i.id) AS k
    UNION ALL
    SELECT 0, 1, 1, c.name, NULL, 'ASC', false, false FROM columns AS c WHERE c.hidden
  ), parts AS (
    SELECT * FROM keys
    UNION ALL
    SELECT i.id, 2, c.place, c.name, NULL, 'N/A', true, false FROM indexes AS i, columns AS c
    WHERE i.is_primary AND c.name NOT IN (SELECT k.name FROM keys AS k WHERE k.id = i.id)
    UNION ALL
    SELECT i.id, 2, p.place, p.name, NULL, 'ASC', i.is_unique, true
    FROM indexes AS i, indexes AS q JOIN keys AS p ON p.id = q.id AND NOT p.storing
    WHERE NOT i.is_primary AND q.is_primary AND p.name NOT IN
      (SELECT k.name FROM keys AS k WHERE k.id = i.id AND k.name IS NOT NULL)
  ), expressions AS (
    -- CockroachDB indexes an expression by a hidden column with a name of its own.
    SELECT k.expression, pg_catalog.row_number() OVER (ORDER BY pg_catalog.min(k.id::int8 * 64 + k.place)) - 1 AS number
    FROM keys AS k WHERE k.expression IS NOT NULL GROUP BY k.expression
  )
  SELECT i.id, i.name, NOT i.is_unique,
    pg_catalog.row_number() OVER (PARTITION BY i.id ORDER BY p.part, p.place),
    coalesce(p.name, 'crdb_internal_idx_expr' || CASE e.number WHEN 0 THEN '' ELSE '_' || e.number END),
    coalesce(p.name, crdb_internal.shown_expression(p.expression, tab, NULL, '::')),
    p.direction, p.storing, p.implicit
  FROM indexes AS i JOIN parts AS p ON p.id = i.id
  LEFT JOIN expressions AS e ON e.expression = p.expression
$$;

-- What stands between an index's brackets, and behind them.
CREATE OR REPLACE FUNCTION crdb_internal.index_text(index oid, mark text) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
  SELECT '(' || (
      SELECT pg_catalog.string_agg(coalesce(crdb_internal.quote_name(k.name),
          CASE WHEN k.expression LIKE '(%' THEN '(' || e.shown || ')' ELSE e.shown END)
        || CASE WHEN m.amname = 'gin' AND k.place = i.indnkeyatts
          THEN CASE WHEN o.opcname = 'gin_trgm_ops' THEN ' gin_trgm_ops' ELSE '' END
          WHEN v.parameters IS NOT NULL AND k.place = i.indnkeyatts THEN ''
          ELSE ' ' || k.direction END, ', ' ORDER BY k.place)
      FROM crdb_internal.index_keys(index) AS k
      LEFT JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k.place - 1]
      CROSS JOIN LATERAL (SELECT crdb_internal.shown_expression(k.expression, i.indrelid, NULL, mark))
        AS e(shown)
      WHERE NOT k.storing) || ')'
    || coalesce(' STORING (' || (
      SELECT pg_catalog.string_agg(crdb_internal.quote_name(k.name), ', ' ORDER BY k.place)
      FROM crdb_internal.index_keys(index) AS k WHERE k.storing) || ')', '')
    || coalesce(' WITH (' || nullif(v.parameters, '') || ')', '')
    || CASE WHEN mark = ':::' THEN coalesce(' WHERE ' || w.shown, '')
      ELSE coalesce(' WHERE (' || w.shown || ')', '') END
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
  CROSS JOIN LATERAL (SELECT crdb_internal.shown_expression(
    pg_catalog.pg_get_expr(i.indpred, i.indrelid), i.indrelid, NULL, mark)) AS w(shown)
  CROSS JOIN LATERAL (SELECT crdb_internal.vector_parameters(index)) AS v(parameters)
  WHERE i.indexrelid = index
$$;

-- An index as it stands in CREATE TABLE, or with `relation` as a statement of its own.
CREATE OR REPLACE FUNCTION crdb_internal.shown_index(index oid, relation text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN relation IS NULL THEN '' ELSE 'CREATE ' END
    || CASE WHEN i.indisunique THEN 'UNIQUE ' WHEN m.amname = 'gin' THEN 'INVERTED '
      WHEN crdb_internal.vector_parameters(index) IS NOT NULL THEN 'VECTOR ' ELSE '' END
    || 'INDEX ' || crdb_internal.quote_name(x.relname) || coalesce(' ON ' || relation, '') || ' '
    || crdb_internal.index_text(index, ':::')
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
  WHERE i.indexrelid = index
$$;
