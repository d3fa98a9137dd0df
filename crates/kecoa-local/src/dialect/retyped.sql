-- ALTER COLUMN … TYPE: CockroachDB writes the column anew where its values are kept in another form, which it does
-- not do for a column that an index, a constraint or a view has.

-- Whether values of one type are kept as those of another are, or need no more than a look at each. The types are
-- PostgreSQL's, the second as SQL with what stands in its brackets.
CREATE OR REPLACE FUNCTION crdb_internal.keeps_form(old oid, modifier int4, wanted text) RETURNS bool
LANGUAGE plpgsql STABLE AS $$
DECLARE
  families constant jsonb := '{"text": "s", "varchar": "s", "bpchar": "s", "bytea": "b", "numeric": "d", "float4": "f", "float8": "f",
    "int2": "i", "int4": "i", "int8": "i", "bit": "v", "varbit": "v", "timestamp": "t", "timestamptz": "t",
    "time": "c", "timetz": "z", "uuid": "u"}';
  type oid := pg_catalog.to_regtype(crdb_internal.regexp_replace(wanted, '\([0-9, ]*\)', ''));
  family text := families ->> (SELECT t.typname::text FROM pg_catalog.pg_type t WHERE t.oid = old);
  other text := families ->> (SELECT t.typname::text FROM pg_catalog.pg_type t WHERE t.oid = type);
  precise int4 := pg_catalog.substring(wanted, '\(\s*([0-9]+)')::int4;
BEGIN
  IF family IN ('t', 'c', 'z') AND family = other THEN
    RETURN coalesce(precise, 6) >= CASE WHEN modifier < 0 THEN 6 ELSE modifier END;
  ELSIF family IS NOT NULL AND (family = other OR family || other IN ('bs', 'sb', 'bu')) THEN
    RETURN true;
  END IF;
  RETURN coalesce(old = type AND modifier = coalesce(precise, -1), false);
END
$$;

-- Refuses what CockroachDB does: `wanted` is the type as PostgreSQL takes it, `given` as the client names it. With a
-- USING all is written anew. `alone` when the statement changes nothing else.
CREATE OR REPLACE FUNCTION crdb_internal.check_retyped(tab text, col text, wanted text, given text, uses bool, alone bool)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  c record;
  reader record;
  type oid := pg_catalog.to_regtype(crdb_internal.regexp_replace(wanted, '\([0-9, ]*\)', ''));
  what text;
BEGIN
  SELECT a.attrelid, a.attnum, a.atttypid, a.atttypmod INTO c FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = pg_catalog.to_regclass(tab) AND a.attname = col AND a.attnum > 0 AND NOT a.attisdropped;
  IF c.attnum IS NULL OR type IS NULL THEN
    RETURN; -- PostgreSQL says so
  END IF;
  SELECT k.kind, k.name INTO reader FROM (
    SELECT 'view', v.relname
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
    JOIN pg_catalog.pg_class v ON v.oid = w.ev_class
    WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refobjid = c.attrelid AND d.refobjsubid = c.attnum
    UNION ALL
    SELECT 'computed column', a.attname
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.refobjid = c.attrelid AND d.refobjsubid = c.attnum
      AND a.attgenerated <> '' AND a.attnum <> c.attnum
  ) AS k(kind, name) ORDER BY k.kind DESC, k.name LIMIT 1;
  IF reader.kind IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '2BP01', MESSAGE = pg_catalog.format(
      'cannot alter type of column "%s" because %s "%s" depends on it', col, reader.kind, reader.name);
  END IF;
  IF NOT uses AND type <> c.atttypid
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_cast k WHERE k.castsource = c.atttypid AND k.casttarget = type
                    AND k.castcontext IN ('a', 'i'))
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type t WHERE t.oid = type AND (t.typcategory IN ('S', 'A') OR t.typtype = 'd'))
  THEN
    RAISE EXCEPTION USING ERRCODE = '42804',
      MESSAGE = pg_catalog.format('column "%s" cannot be cast automatically to type %s', col, given),
      HINT = pg_catalog.format('You might need to specify "USING %s::%s".', pg_catalog.quote_ident(col), given);
  END IF;
  IF NOT uses AND crdb_internal.keeps_form(c.atttypid, c.atttypmod, wanted) THEN
    RETURN;
  END IF;
  what := CASE
    WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.attrelid
                   AND d.refobjsubid = c.attnum AND d.deptype IN ('a', 'i'))
      THEN 'ALTER COLUMN TYPE for a column that owns a sequence is currently not supported'
    WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
                 WHERE k.contype IN ('c', 'f') AND k.conrelid = c.attrelid AND c.attnum = ANY (k.conkey)
                   OR k.contype = 'f' AND k.confrelid = c.attrelid AND c.attnum = ANY (k.confkey))
      THEN 'ALTER COLUMN TYPE for a column that has a constraint is currently not supported'
    WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.attrelid
                 AND (c.attnum = ANY (i.indkey::int2[]) OR EXISTS (
                   SELECT 1 FROM pg_catalog.pg_depend d
                   WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid
                     AND d.refobjid = c.attrelid AND d.refobjsubid = c.attnum)))
      THEN 'ALTER COLUMN TYPE requiring rewrite of on-disk data is currently not supported for columns that are part of an index'
    WHEN NOT alone THEN 'ALTER COLUMN TYPE cannot be used in combination with other ALTER TABLE commands'
  END;
  IF what IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'unimplemented: ' || what,
      HINT = 'SET kecoa_strict = off lets PostgreSQL do it, and fails on a cluster';
  END IF;
END
$$;
