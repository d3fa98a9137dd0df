-- What the endpoint's definitions lean on: keys that change, and what holds after each definition.

-- The name of the hidden key of a table without a primary key. It is kept when the table is renamed, as the comment
-- of a column that no table can have: it goes with the table.
CREATE OR REPLACE FUNCTION crdb_internal.hidden_key_name(tab oid) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce((SELECT d.description FROM pg_catalog.pg_description d
    WHERE d.objoid = tab AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 32767),
    (SELECT c.relname || '_pkey' FROM pg_catalog.pg_class c WHERE c.oid = tab))
$$;

CREATE OR REPLACE FUNCTION crdb_internal.note_hidden_key(tab oid, name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
BEGIN
  SELECT c.oid, c.relname INTO t FROM pg_catalog.pg_class c
    WHERE c.oid = tab AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_description d WHERE d.objoid = c.oid
        AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 32767);
  IF t.oid IS NULL OR name = t.relname || '_pkey' THEN
    RETURN;
  END IF;
  PERFORM crdb_internal.check_owner(t.oid);
  INSERT INTO pg_catalog.pg_description (objoid, classoid, objsubid, description)
    VALUES (t.oid, 'pg_catalog.pg_class'::pg_catalog.regclass, 32767, coalesce(name, t.relname || '_pkey'));
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.keep_hidden_key(tab text, name text) RETURNS void
LANGUAGE sql AS $$ SELECT crdb_internal.note_hidden_key(pg_catalog.to_regclass(tab), name) $$;

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
            ORDER BY u.place) AS columns,
      (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname)
          || CASE WHEN i.indoption[u.place - 1] & 1 = 1 THEN ' DESC NULLS LAST' ELSE ' NULLS FIRST' END,
          ', ' ORDER BY u.place)
       FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(n, place)
       JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n
       JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid) AS keys
    INTO old
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    WHERE k.conrelid = tab AND k.contype = 'p';
  IF old.conname IS NOT NULL THEN
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', tab, old.conname);
    IF old.columns <> columns THEN
      EXECUTE pg_catalog.format('CREATE UNIQUE INDEX %I ON %s (%s)',
        old.relname || '_' || pg_catalog.array_to_string(old.columns, '_') || '_key', tab, old.keys);
    END IF;
  ELSE
    SELECT crdb_internal.hidden_key_name(tab)::name AS conname INTO old;
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

-- NULLs come first in CockroachDB. A primary key has none: it serves that order when it says so, and
-- not one of its entries lies elsewhere for it. PostgreSQL has no words for the order of a key. Other
-- unique constraints stay as they are: their columns may take NULLs later. Which columns descend, the
-- statement at hand says in kecoa.descending_key: the table, and their names.
CREATE OR REPLACE FUNCTION crdb_internal.order_key(tab oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said jsonb := nullif(pg_catalog.current_setting('kecoa.descending_key', true), '');
  descending text[] := '{}';
  key oid;
BEGIN
  -- Of the client's own making, and about the client's own table alone.
  IF said IS NOT NULL AND pg_catalog.to_regclass(said ->> 0) = tab THEN
    descending := ARRAY(SELECT pg_catalog.jsonb_array_elements_text(said -> 1));
  END IF;
  UPDATE pg_catalog.pg_index i SET indoption = (
      SELECT pg_catalog.string_agg(CASE WHEN a.attname = ANY (descending) THEN '1' ELSE '2' END, ' ' ORDER BY o.place)
      FROM pg_catalog.unnest(i.indoption::int2[]) WITH ORDINALITY AS o(bits, place)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = tab AND a.attnum = i.indkey[o.place - 1])::int2vector
    FROM pg_catalog.pg_class x JOIN pg_catalog.pg_am m ON m.oid = x.relam
    WHERE i.indrelid = tab AND i.indisprimary AND x.oid = i.indexrelid AND m.amname = 'btree'
      AND i.indoption[0] = 0
    RETURNING i.indexrelid INTO key;
  -- An index with entries has them in the other order.
  IF descending <> '{}' AND pg_catalog.pg_relation_size(key) > 8192 THEN
    EXECUTE pg_catalog.format('REINDEX INDEX %s', key::regclass);
  END IF;
END
$$;

-- Says which columns of a table's next primary key descend. The table need not be there yet: it goes where
-- a new one would.
CREATE OR REPLACE FUNCTION crdb_internal.descending_key(tab text, columns text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  parts text[] := pg_catalog.parse_ident(tab);
BEGIN
  IF pg_catalog.cardinality(parts) = 1 THEN
    parts := pg_catalog.array_prepend(coalesce(
      (SELECT n.nspname::text FROM pg_catalog.pg_class c
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass(tab)),
      pg_catalog.current_schema()::text), parts);
  END IF;
  PERFORM pg_catalog.set_config('kecoa.descending_key', pg_catalog.jsonb_build_array(
    pg_catalog.format('%I.%I', parts[1], parts[2]), columns)::text, true);
END
$$;

-- Whether a row of the catalogue may be of the transaction at hand.
CREATE OR REPLACE FUNCTION crdb_internal.is_fresh(made xid) RETURNS bool
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT made::text::int8 >= pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::int8 % 4294967296
$$;

-- What holds after each definition, however it was written.
CREATE OR REPLACE FUNCTION crdb_internal.after_definition() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tab oid;
  bad record;
BEGIN
  FOR tab IN
    SELECT DISTINCT objid FROM pg_catalog.pg_event_trigger_ddl_commands()
    WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND object_type = 'table'
  LOOP
    PERFORM crdb_internal.order_key(tab);
    -- A foreign key that could not act. One that was there before is not looked at again.
    SELECT pg_catalog.concat_ws('.', pg_catalog.current_database(), n.nspname, t.relname, a.attname) AS name,
        'n' IN (k.confdeltype, k.confupdtype) AS sets_null
      INTO bad
      FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (k.conkey)
      WHERE t.oid = tab AND k.contype = 'f' AND a.attnotnull AND k.conparentid = 0
        AND ('n' IN (k.confdeltype, k.confupdtype)
             OR 'd' IN (k.confdeltype, k.confupdtype) AND NOT a.atthasdef)
        AND crdb_internal.is_fresh(k.xmin)
      ORDER BY sets_null DESC LIMIT 1;
    IF bad.name IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = '42830', MESSAGE = pg_catalog.format(CASE WHEN bad.sets_null
        THEN 'cannot add a SET NULL cascading action on column "%s" which has a NOT NULL constraint'
        ELSE 'cannot add a SET DEFAULT cascading action on column "%s" which has a NOT NULL constraint and a NULL default expression'
        END, bad.name);
    END IF;
  END LOOP;
END
$$;

DROP EVENT TRIGGER IF EXISTS crdb_internal_after_definition;
CREATE EVENT TRIGGER crdb_internal_after_definition ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE')
  EXECUTE FUNCTION crdb_internal.after_definition();

-- The keys of a database that an earlier version prepared.
SELECT crdb_internal.order_key(oid) FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384;

-- A column of the primary key is not dropped; PostgreSQL would drop the key with it.
CREATE OR REPLACE FUNCTION crdb_internal.check_dropped(tab text, col text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a
      ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.contype = 'p' AND k.conrelid = pg_catalog.to_regclass(tab) AND a.attname = col)
  THEN
    RAISE EXCEPTION USING ERRCODE = '42P10',
      MESSAGE = pg_catalog.format('column "%s" is referenced by the primary key', col);
  END IF;
END
$$;
