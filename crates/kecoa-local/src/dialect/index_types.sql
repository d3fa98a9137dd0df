-- What stands for a vector in an index (`vector_index.rs`), with the index's parameters: nothing is looked up by it.
CREATE OR REPLACE FUNCTION crdb_internal.of_vector(vector anyelement, parameters text) RETURNS bool
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT NULL::bool $$;

-- The vector in a key of an index, from the text of its expression: the column as SQL, and the parameters.
CREATE OR REPLACE FUNCTION crdb_internal.indexed_vector(expression text, OUT name text, OUT parameters text)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT m.match[1], m.match[2]
  FROM crdb_internal.regexp_matches(expression, '^crdb_internal\.of_vector\((.*), ''([^'']*)''::text\)$') AS m(match)
  WHERE expression LIKE 'crdb_internal.of_vector(%'
$$;

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
    IF key.amname = 'btree' AND key.typname = 'vector' THEN
      IF EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indexrelid = index
                 AND pg_catalog.pg_get_indexdef(index, i.indnkeyatts, false) LIKE 'crdb_internal.of_vector(%')
      THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format(
          'column %s has type vector, which is only allowed as the last column in a vector index', key.attname);
      END IF;
      RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format(
          'column %s has type vector, which is not indexable in a non-vector index', key.attname),
        HINT = 'you may want to create a vector index instead';
    END IF;
    IF (key.amname = 'btree' OR NOT key.is_last)
      AND key.typname IN ('tsvector', 'tsquery', 'refcursor', 'jsonpath')
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
  SELECT x.relname, a.attname, a.attnum = ANY (p.indkey::int2[]) AS in_primary INTO key
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    CROSS JOIN LATERAL pg_catalog.generate_series(i.indnkeyatts + 1, i.indnatts::int4) AS k(n)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1]
    LEFT JOIN pg_catalog.pg_index p ON p.indrelid = i.indrelid AND p.indisprimary
    WHERE i.indexrelid = index AND NOT i.indisprimary AND (a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
      OR a.attnum = ANY (p.indkey::int2[]))
    LIMIT 1;
  IF key.in_primary THEN
    RAISE EXCEPTION USING ERRCODE = '42701',
      MESSAGE = pg_catalog.format('index "%s" already contains column "%s"', key.relname, key.attname),
      DETAIL = pg_catalog.format('column "%s" is part of the primary index and therefore implicit in all indexes', key.attname);
  ELSIF key.relname IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42701',
      MESSAGE = pg_catalog.format('index "%s" already contains column "%s"', key.relname, key.attname);
  END IF;
  SELECT a.attname, t.typname, a.atttypmod, pg_catalog.lower(crdb_internal.sql_type(a.atttypid, a.atttypmod)) AS type
    INTO key
    FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL crdb_internal.indexed_vector(pg_catalog.pg_get_indexdef(index, i.indnkeyatts, false)) AS v
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND pg_catalog.quote_ident(a.attname) = v.name
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE i.indexrelid = index AND i.indkey[i.indnkeyatts - 1] = 0;
  IF key.typname <> 'vector' THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format(
      'column %s has type %s, which is not allowed as the last column in a vector index', key.attname,
      CASE key.type WHEN 'int8' THEN 'int' ELSE key.type END);
  ELSIF key.atttypmod < 0 THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = pg_catalog.format(
      'vector column %s does not have a fixed number of dimensions, so it cannot be indexed', key.attname),
      DETAIL = 'specify the number of dimensions in the type, like VECTOR(128) for 128 dimensions';
  END IF;
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

