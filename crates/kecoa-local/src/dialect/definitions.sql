-- What the endpoint's definitions lean on: keys that change, indexes by their table.

-- DROP INDEX … CASCADE drops the constraint an index stands for, as in CockroachDB.
CREATE OR REPLACE FUNCTION crdb_internal.drop_index(name text, lenient bool) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  index regclass := pg_catalog.to_regclass(name);
  owner record;
BEGIN
  SELECT k.conname, k.conrelid::regclass AS tab INTO owner FROM pg_catalog.pg_constraint k
    WHERE k.conindid = index AND k.contype IN ('u', 'x');
  IF owner.conname IS NOT NULL THEN
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', owner.tab, owner.conname);
  ELSE
    EXECUTE 'DROP INDEX ' || CASE WHEN lenient THEN 'IF EXISTS ' ELSE '' END || name || ' CASCADE';
  END IF;
END
$$;

-- ALTER TABLE … ALTER PRIMARY KEY USING COLUMNS: the old key stays as a unique index, as in
-- CockroachDB, unless it was none of the client's.
CREATE OR REPLACE FUNCTION crdb_internal.alter_primary_key(tab regclass, columns text[])
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  old record;
  kept text[];
  missing text;
BEGIN
  SELECT c.name INTO missing FROM pg_catalog.unnest(columns) AS c(name)
    LEFT JOIN pg_catalog.pg_attribute a
      ON a.attrelid = tab AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attname IS NULL LIMIT 1;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42703',
      MESSAGE = pg_catalog.format('column "%s" does not exist', missing);
  END IF;
  SELECT a.attname INTO missing FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = tab AND a.attname = ANY (columns) AND NOT a.attnotnull LIMIT 1;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42601',
      MESSAGE = pg_catalog.format('cannot use nullable column "%s" in primary key', missing);
  END IF;
  SELECT k.conname, c.relname,
      ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(n, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n
            ORDER BY u.place) AS columns
    INTO old
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    WHERE k.conrelid = tab AND k.contype = 'p';
  IF old.conname IS NOT NULL THEN
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', tab, old.conname);
    IF old.columns <> columns THEN
      EXECUTE pg_catalog.format('CREATE UNIQUE INDEX %I ON %s (%s)',
        old.relname || '_' || pg_catalog.array_to_string(old.columns, '_') || '_key', tab,
        (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ') FROM pg_catalog.unnest(old.columns) AS c));
    END IF;
  ELSE
    SELECT (c.relname || '_pkey')::name AS conname INTO old FROM pg_catalog.pg_class c WHERE c.oid = tab;
  END IF;
  EXECUTE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY (%s)', tab, old.conname,
    (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ') FROM pg_catalog.unnest(columns) AS c));
END
$$;

-- What inverted indexes with plain columns in front need. Only whoever owns the cluster may put an
-- extension into a schema of ours.
CREATE OR REPLACE FUNCTION crdb_internal.need_gin_columns() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'btree_gin') THEN
    RETURN;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = 'btree_gin') THEN
    RAISE EXCEPTION USING ERRCODE = '0A000',
      MESSAGE = 'the local endpoint cannot put plain columns into an inverted index: this PostgreSQL has no btree_gin',
      HINT = 'leave them out, or use the PostgreSQL of kecoa[local]';
  END IF;
  CREATE EXTENSION btree_gin SCHEMA crdb_internal;
END
$$;
