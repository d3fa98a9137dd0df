-- The types that CockroachDB's indexes do not have, whoever makes one: CREATE INDEX, CREATE TABLE, ALTER TABLE.
CREATE OR REPLACE FUNCTION crdb_internal.check_index(index oid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key record;
BEGIN
  FOR key IN
    SELECT a.attname, t.typname, t.typcategory = 'A' AS is_array, m.amname, o.opcname, k.n = i.indnkeyatts AS is_last,
        pg_catalog.lower(crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage)) AS type
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
      CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts::int4) AS k(n)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1]
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k.n - 1]
      WHERE i.indexrelid = index AND m.amname IN ('btree', 'gin', 'gist')
      ORDER BY k.n
  LOOP
    key.type := CASE key.type WHEN 'int8' THEN 'int' ELSE key.type END;
    IF (key.amname = 'btree' OR NOT key.is_last)
      AND key.typname IN ('tsvector', 'tsquery', 'vector', 'refcursor', 'jsonpath')
    THEN
      RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format(
          'unimplemented: column %s has type %s, which is not indexable in a non-inverted index', key.attname, key.type),
        HINT = 'SET kecoa_strict = off lets PostgreSQL do it, and fails on a cluster';
    ELSIF key.amname <> 'btree' AND key.is_last AND key.typname IN ('text', 'varchar', 'bpchar', 'citext', 'name') THEN
      IF key.opcname NOT IN ('gin_trgm_ops', 'gist_trgm_ops') THEN
        RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = pg_catalog.format(
            'data type %s has no default operator class for access method "gin"', key.type),
          HINT = 'You must specify an operator class for the index (did you mean gin_trgm_ops?)';
      END IF;
    ELSIF key.amname <> 'btree' AND key.is_last AND NOT key.is_array AND key.typname NOT IN ('jsonb', 'tsvector', 'geometry', 'geography')
    THEN
      RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format(
          'unimplemented: column %s has type %s, which is not allowed as the last column in an inverted index',
          key.attname, key.type),
        HINT = 'SET kecoa_strict = off lets PostgreSQL do it, and fails on a cluster';
    END IF;
  END LOOP;
END
$$;

-- The indexes that a definition has made.
CREATE OR REPLACE FUNCTION crdb_internal.after_index() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_catalog.lower(pg_catalog.current_setting('kecoa.kecoa_strict', true)) IN ('off', 'false', 'no', '0') THEN
    RETURN;
  END IF;
  PERFORM crdb_internal.check_index(i.indexrelid)
    FROM pg_catalog.pg_event_trigger_ddl_commands() AS d
    JOIN pg_catalog.pg_index i ON i.indexrelid = d.objid
      OR i.indrelid = d.objid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.object_type IN ('table', 'index')
      AND crdb_internal.is_fresh(x.xmin);
END
$$;

DROP EVENT TRIGGER IF EXISTS crdb_internal_after_index;
CREATE EVENT TRIGGER crdb_internal_after_index ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX')
  EXECUTE FUNCTION crdb_internal.after_index();

