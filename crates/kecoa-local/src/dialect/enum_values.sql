-- ALTER TYPE … DROP VALUE. PostgreSQL has no such command: its row of the catalogue is deleted once
-- nothing has the value. Indexes may still have its number between others, and are made anew.
CREATE OR REPLACE FUNCTION crdb_internal.delete_enum_value(kind oid, label text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
BEGIN
  SELECT typname, typowner INTO t FROM pg_catalog.pg_type WHERE oid = kind;
  PERFORM crdb_internal.check_member(t.typowner, pg_catalog.format('type %s', t.typname));
  DELETE FROM pg_catalog.pg_enum WHERE enumtypid = kind AND enumlabel = label;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.drop_enum_value(kind regtype, label text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  list oid;
  c record;
  used bool;
BEGIN
  SELECT t.typarray INTO list FROM pg_catalog.pg_type t WHERE t.oid = kind;
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_enum e WHERE e.enumtypid = kind AND e.enumlabel = label) THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = pg_catalog.format('enum value "%s" does not exist', label);
  END IF;
  -- What would not know the value any more: defaults, checks, indexes, views, functions.
  SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS name INTO c
    FROM pg_catalog.pg_depend d
    LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = d.objid
    LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_catalog.pg_index i ON d.classid = 'pg_catalog.pg_class'::regclass AND i.indexrelid = d.objid
    LEFT JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
    WHERE d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid IN (kind, list)
      AND pg_catalog.strpos(coalesce(pg_catalog.pg_get_expr(a.adbin, a.adrelid),
        pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.pg_get_viewdef(r.ev_class),
        pg_catalog.pg_get_indexdef(i.indexrelid), p.prosrc), crdb_internal.quote_literal(label)) > 0
    LIMIT 1;
  IF c.name IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '2BP01',
      MESSAGE = pg_catalog.format('could not remove enum value "%s" as it is being used in %s', label, c.name);
  END IF;
  IF EXISTS (
    SELECT 1 FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_class o ON o.oid = a.attrelid
    WHERE NOT a.attisdropped AND (o.relkind = 'c' AND a.atttypid IN (kind, list)
      OR t.typtype = 'd' AND t.typbasetype IN (kind, list)))
  THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format(
      'the local endpoint cannot drop a value of type %s: a composite type or domain has it', kind);
  END IF;
  FOR c IN
    SELECT o.oid::regclass AS tab, o.relname, a.attname, a.atttypid = kind AS plain
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class o ON o.oid = a.attrelid
    WHERE a.atttypid IN (kind, list) AND NOT a.attisdropped AND o.relkind IN ('r', 'm')
    ORDER BY o.oid, a.attnum
  LOOP
    EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', c.tab);
    EXECUTE pg_catalog.format(CASE WHEN c.plain
      THEN 'SELECT EXISTS (SELECT 1 FROM %s WHERE %I::pg_catalog.text = %L)'
      ELSE 'SELECT EXISTS (SELECT 1 FROM %s WHERE %3$L = ANY (%2$I::pg_catalog.text[]))' END,
      c.tab, c.attname, label) INTO used;
    IF used THEN
      RAISE EXCEPTION USING ERRCODE = '2BP01',
        MESSAGE = pg_catalog.format('could not remove enum value "%s" as it is being used by "%s"', label, c.relname);
    END IF;
  END LOOP;
  PERFORM crdb_internal.delete_enum_value(kind, label);
  FOR c IN
    SELECT DISTINCT o.oid::regclass AS tab
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class o ON o.oid = a.attrelid
    WHERE a.atttypid IN (kind, list) AND NOT a.attisdropped AND o.relkind IN ('r', 'm')
  LOOP
    EXECUTE pg_catalog.format('REINDEX TABLE %s', c.tab);
    EXECUTE pg_catalog.format('ANALYZE %s', c.tab);
  END LOOP;
END
$$;
