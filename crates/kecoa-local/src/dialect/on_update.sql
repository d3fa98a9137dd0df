-- ON UPDATE of a column: a trigger fills it on each update that does not set it itself. A trigger of
-- the columns that are set says so first, for the same row; both go with the column.
CREATE OR REPLACE FUNCTION crdb_internal.note_given() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_catalog.set_config('kecoa.given', TG_RELID || '.' || TG_ARGV[0], true);
  RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.fill_on_update() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  target record;
  filled jsonb;
BEGIN
  IF pg_catalog.current_setting('kecoa.given', true) = TG_RELID || '.' || TG_ARGV[0] THEN
    PERFORM pg_catalog.set_config('kecoa.given', '', true);
    RETURN NEW;
  END IF;
  SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS kind INTO target
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = TG_RELID AND a.attnum = TG_ARGV[0]::int2;
  EXECUTE pg_catalog.format('SELECT pg_catalog.to_jsonb((%s)::%s)', TG_ARGV[1], target.kind) INTO filled;
  RETURN pg_catalog.jsonb_populate_record(NEW, pg_catalog.jsonb_build_object(target.attname, filled));
END
$$;

-- Makes the triggers go with their column, which PostgreSQL would keep for their sake.
CREATE OR REPLACE FUNCTION crdb_internal.bind_to_column(tab oid, place int2) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
BEGIN
  PERFORM crdb_internal.check_owner(tab);
  FOR t IN
    SELECT oid FROM pg_catalog.pg_trigger
    WHERE tgrelid = tab AND tgname IN ('crdb_internal_on_update_' || place || '_a', 'crdb_internal_on_update_' || place || '_b')
  LOOP
    DELETE FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_trigger'::regclass AND objid = t.oid
      AND refclassid = 'pg_catalog.pg_class'::regclass AND refobjid = tab AND refobjsubid = place;
    INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
      VALUES ('pg_catalog.pg_trigger'::regclass, t.oid, 0, 'pg_catalog.pg_class'::regclass, tab, place, 'a');
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.drop_on_update(tab regclass, col text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  t record;
BEGIN
  FOR t IN
    SELECT g.tgname FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_attribute a ON a.attrelid = g.tgrelid
    WHERE g.tgrelid = tab AND a.attname = col
      AND g.tgname ~ ('^crdb_internal_on_update_' || a.attnum || '_[ab]$')
  LOOP
    EXECUTE pg_catalog.format('DROP TRIGGER %I ON %s', t.tgname, tab);
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.set_on_update(tab regclass, col text, expression text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  a record;
  kept text;
BEGIN
  SELECT c.attnum, c.attgenerated, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS fills INTO a
    FROM pg_catalog.pg_attribute c
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.attrelid AND d.adnum = c.attnum
    WHERE c.attrelid = tab AND c.attname = col AND c.attnum > 0 AND NOT c.attisdropped;
  IF a.attnum IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42703', MESSAGE = pg_catalog.format('column "%s" does not exist', col);
  ELSIF a.attgenerated <> '' THEN
    RAISE EXCEPTION USING ERRCODE = '42611',
      MESSAGE = pg_catalog.format('computed column "%s" cannot also have an ON UPDATE expression', col);
  END IF;
  -- It must do for a default: of the column's type, and without columns in it.
  EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT (%s)', tab, col, expression);
  SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) INTO kept
    FROM pg_catalog.pg_attrdef d WHERE d.adrelid = tab AND d.adnum = a.attnum;
  EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I %s', tab, col,
    coalesce('SET DEFAULT ' || a.fills, 'DROP DEFAULT'));
  PERFORM crdb_internal.drop_on_update(tab, col);
  -- PostgreSQL keeps no default of NULL.
  kept := coalesce(kept, 'NULL');
  EXECUTE pg_catalog.format('CREATE TRIGGER crdb_internal_on_update_%s_a BEFORE UPDATE OF %I ON %s FOR EACH ROW EXECUTE FUNCTION crdb_internal.note_given(%L)',
    a.attnum, col, tab, a.attnum);
  EXECUTE pg_catalog.format('CREATE TRIGGER crdb_internal_on_update_%s_b BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION crdb_internal.fill_on_update(%L, %L)',
    a.attnum, tab, a.attnum, kept);
  PERFORM crdb_internal.bind_to_column(tab, a.attnum);
END
$$;

-- The expression that fills a column, for SHOW CREATE.
CREATE OR REPLACE FUNCTION crdb_internal.on_update(tab oid, col text) RETURNS text
LANGUAGE sql STABLE AS $$
  -- The arguments stand behind each other, each with a zero byte at its end.
  SELECT pg_catalog.convert_from(pg_catalog.substring(g.tgargs,
    pg_catalog.octet_length(a.attnum::text) + 2,
    pg_catalog.octet_length(g.tgargs) - pg_catalog.octet_length(a.attnum::text) - 2), 'UTF8')
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_trigger g
    ON g.tgrelid = tab AND g.tgname = 'crdb_internal_on_update_' || a.attnum || '_b'
  WHERE a.attrelid = tab AND a.attname = col
$$;
