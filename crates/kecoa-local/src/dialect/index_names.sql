-- Names of indexes are one table's in CockroachDB, and one schema's in PostgreSQL. Where two indexes
-- of a schema have one name, or an index and a table, all but one of the indexes lie in no schema:
-- the number of their table stands in its place, which belongs to nothing else. PostgreSQL looks an
-- index up by name only when it is named itself; all else, from pg_class to EXPLAIN and errors, goes by
-- its number, and shows the name it has.

-- Whether the client may change what a role owns, for functions that may do more than it.
CREATE OR REPLACE FUNCTION crdb_internal.check_member(owner oid, what text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  client text := pg_catalog.current_setting('role');
BEGIN
  IF client = 'none' THEN
    client := session_user;
  END IF;
  IF pg_catalog.pg_has_role(client, owner, 'USAGE') IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = pg_catalog.format('must be owner of %s', what);
  END IF;
END
$$;

-- The same of a table.
CREATE OR REPLACE FUNCTION crdb_internal.check_owner(tab oid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
BEGIN
  SELECT relname, relowner INTO t FROM pg_catalog.pg_class WHERE oid = tab;
  PERFORM crdb_internal.check_member(t.relowner, pg_catalog.format('table %s', t.relname));
END
$$;

-- Makes a name free in a schema, the table's or the one named, if an index has it.
CREATE OR REPLACE FUNCTION crdb_internal.set_aside(tab oid, space text, wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  x record;
BEGIN
  SELECT c.oid, i.indrelid INTO x FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    WHERE c.relname = wanted AND c.relnamespace = coalesce(
      (SELECT t.relnamespace FROM pg_catalog.pg_class t WHERE t.oid = tab),
      (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = space));
  IF x.oid IS NOT NULL THEN
    PERFORM crdb_internal.check_owner(x.indrelid);
    UPDATE pg_catalog.pg_class SET relnamespace = x.indrelid WHERE oid = x.oid;
  END IF;
END
$$;

-- The same for a table by its name, which need not be there, in the current schema if none is named.
CREATE OR REPLACE FUNCTION crdb_internal.make_room(tab text, space text, wanted text) RETURNS void
LANGUAGE sql AS $$
  SELECT crdb_internal.set_aside(pg_catalog.to_regclass(tab), coalesce(space, pg_catalog.current_schema()::text), wanted)
$$;

-- Names an index, and the constraint that it is: in the schema of its table if the name is free there.
CREATE OR REPLACE FUNCTION crdb_internal.name_index(idx oid, wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
BEGIN
  SELECT c.oid, c.relnamespace INTO t FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
    WHERE i.indexrelid = idx;
  PERFORM crdb_internal.check_owner(t.oid);
  UPDATE pg_catalog.pg_constraint SET conname = wanted
    WHERE conindid = idx AND conrelid = t.oid AND contype IN ('p', 'u', 'x') AND conname <> wanted;
  UPDATE pg_catalog.pg_class SET relname = wanted, relnamespace = CASE
      WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_class o
                   WHERE o.relname = wanted AND o.relnamespace = t.relnamespace AND o.oid <> idx)
      THEN t.oid ELSE t.relnamespace END
    WHERE oid = idx;
END
$$;

-- Names that nothing else has for those indexes of a table that are in no schema, while PostgreSQL makes
-- them anew under their names; and the way back.
CREATE OR REPLACE FUNCTION crdb_internal.stand_in_names(tab text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_catalog.set_config('kecoa.index_' || c.oid, c.relname, true),
    crdb_internal.name_index(c.oid, 'crdb_internal_index_' || c.oid)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  WHERE i.indrelid = pg_catalog.to_regclass(tab) AND c.relnamespace = i.indrelid;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.own_names(tab text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM crdb_internal.name_index(c.oid, pg_catalog.current_setting('kecoa.index_' || pg_catalog.substr(c.relname, 21)))
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  WHERE i.indrelid = pg_catalog.to_regclass(tab) AND c.relname ~ '^crdb_internal_index_[0-9]+$';
END
$$;

-- LIKE … INCLUDING INDEXES: the indexes keep the names that they have at the table they are taken from. They are
-- told by what they are; PostgreSQL makes them in the order of the originals.
CREATE OR REPLACE FUNCTION crdb_internal.like_names(tab text, original text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  i record;
  made oid[] := '{}';
  found oid;
BEGIN
  FOR i IN
    SELECT x.relname, o.indisunique, o.indisprimary, m.amname, crdb_internal.index_text(x.oid, ':::') AS keys
    FROM pg_catalog.pg_index o JOIN pg_catalog.pg_class x ON x.oid = o.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = x.relam
    WHERE o.indrelid = pg_catalog.to_regclass(original) ORDER BY x.oid
  LOOP
    SELECT x.oid INTO found
    FROM pg_catalog.pg_index o JOIN pg_catalog.pg_class x ON x.oid = o.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = x.relam
    WHERE o.indrelid = pg_catalog.to_regclass(tab) AND x.oid <> ALL (made) AND o.indisunique = i.indisunique
      AND o.indisprimary = i.indisprimary AND m.amname = i.amname
      AND crdb_internal.index_text(x.oid, ':::') = i.keys
    ORDER BY x.oid LIMIT 1;
    IF found IS NOT NULL THEN
      made := made || found;
      PERFORM crdb_internal.name_index(found, i.relname::text);
    END IF;
  END LOOP;
END
$$;

-- The index that a client names: t@i, or i, or space.i for tables in that schema. NULL when there is
-- none and there need not be.
CREATE OR REPLACE FUNCTION crdb_internal.index_named(tab text, space text, name text, lenient bool)
RETURNS oid
LANGUAGE plpgsql STABLE AS $$
DECLARE
  -- An error of PostgreSQL's when there is no such table.
  of oid := CASE WHEN lenient THEN pg_catalog.to_regclass(tab) ELSE tab::pg_catalog.regclass END;
  found oid[];
  tables text[];
BEGIN
  SELECT pg_catalog.array_agg(x.oid ORDER BY n.nspname, t.relname),
      pg_catalog.array_agg(pg_catalog.concat_ws('.', pg_catalog.current_database(), n.nspname, t.relname)
                           ORDER BY n.nspname, t.relname)
    INTO found, tables
    FROM pg_catalog.pg_class x JOIN pg_catalog.pg_index i ON i.indexrelid = x.oid
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE x.relname = name AND CASE WHEN tab IS NOT NULL THEN t.oid = of
      WHEN space IS NOT NULL THEN n.nspname = space
      ELSE n.nspname = ANY (pg_catalog.current_schemas(false)) OR n.oid = pg_catalog.pg_my_temp_schema() END;
  IF pg_catalog.cardinality(found) > 1 THEN
    RAISE EXCEPTION USING ERRCODE = '42P08',
      MESSAGE = pg_catalog.format('index name "%s" is ambiguous (found in %s and %s)', name, tables[1], tables[2]),
      HINT = 'name the table: table@index';
  ELSIF found IS NULL AND lenient THEN
    RAISE NOTICE USING MESSAGE = pg_catalog.format('index "%s" does not exist, skipping', name);
  ELSIF found IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = pg_catalog.format('index "%s" does not exist', name);
  END IF;
  RETURN found[1];
END
$$;

-- Runs a command on an index, %s standing for its name, which is one that PostgreSQL finds meanwhile.
CREATE OR REPLACE FUNCTION crdb_internal.with_index(idx oid, command text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  x record;
BEGIN
  SELECT c.relname, n.nspname, c.relnamespace = i.indrelid AS aside INTO x
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE c.oid = idx;
  IF NOT x.aside THEN
    EXECUTE pg_catalog.format(command, pg_catalog.format('%I.%I', x.nspname, x.relname));
    RETURN;
  END IF;
  PERFORM crdb_internal.name_index(idx, 'crdb_internal_index_' || idx);
  EXECUTE pg_catalog.format(command, pg_catalog.format('%I.%I', x.nspname, 'crdb_internal_index_' || idx));
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE oid = idx) THEN
    PERFORM crdb_internal.name_index(idx, x.relname);
  END IF;
END
$$;

-- DROP INDEX. With CASCADE it drops the constraint an index stands for, as in CockroachDB.
CREATE OR REPLACE FUNCTION crdb_internal.drop_index(tab text, space text, name text, lenient bool, cascades bool)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  idx oid := crdb_internal.index_named(tab, space, name, lenient);
  owner record;
BEGIN
  IF idx IS NULL THEN
    RETURN;
  END IF;
  SELECT k.conname, k.contype, k.conrelid::pg_catalog.regclass AS tab INTO owner
    FROM pg_catalog.pg_constraint k WHERE k.conindid = idx AND k.contype IN ('p', 'u', 'x');
  IF owner.contype = 'p' THEN
    RAISE EXCEPTION USING ERRCODE = '0A000',
      MESSAGE = 'cannot drop the primary index of a table using DROP INDEX';
  ELSIF owner.conname IS NOT NULL AND NOT cascades THEN
    RAISE EXCEPTION USING ERRCODE = '2BP01',
      MESSAGE = pg_catalog.format('index "%s" is in use as unique constraint', name),
      HINT = 'use CASCADE if you really want to drop it.';
  ELSIF owner.conname IS NOT NULL THEN
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', owner.tab, owner.conname);
  ELSE
    PERFORM crdb_internal.with_index(idx, 'DROP INDEX %s' || CASE WHEN cascades THEN ' CASCADE' ELSE '' END);
  END IF;
END
$$;

-- ALTER INDEX … RENAME TO.
CREATE OR REPLACE FUNCTION crdb_internal.rename_index(tab text, space text, name text, lenient bool, wanted text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  idx oid := crdb_internal.index_named(tab, space, name, lenient);
BEGIN
  IF wanted = name OR idx IS NULL THEN
    RETURN;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_class x JOIN pg_catalog.pg_index i ON i.indexrelid = x.oid
             WHERE x.relname = wanted AND i.indrelid = (
               SELECT o.indrelid FROM pg_catalog.pg_index o WHERE o.indexrelid = idx))
  THEN
    RAISE EXCEPTION USING ERRCODE = '42P07', MESSAGE = pg_catalog.format('index name "%s" already exists', wanted);
  END IF;
  EXECUTE pg_catalog.format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE',
    (SELECT o.indrelid::pg_catalog.regclass FROM pg_catalog.pg_index o WHERE o.indexrelid = idx));
  PERFORM crdb_internal.name_index(idx, wanted);
END
$$;
