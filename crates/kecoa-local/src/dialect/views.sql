-- Views are read only in CockroachDB; PostgreSQL writes through simple ones. A trigger refuses the
-- first row that would be written.
CREATE OR REPLACE FUNCTION crdb_internal.refuse_write() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = pg_catalog.format(
    'cannot run %s on view "%s" - views are not updateable', TG_OP, TG_TABLE_NAME);
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.close_views() RETURNS event_trigger
LANGUAGE plpgsql AS $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT c.objid FROM pg_catalog.pg_event_trigger_ddl_commands() AS c
    WHERE c.object_type = 'view' AND NOT c.in_extension
      AND c.schema_name NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t
                      WHERE t.tgrelid = c.objid AND t.tgname = 'crdb_internal_read_only')
  LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER crdb_internal_read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON %s '
      'FOR EACH ROW EXECUTE FUNCTION crdb_internal.refuse_write()', o.objid::pg_catalog.regclass);
  END LOOP;
END
$$;

DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_event_trigger WHERE evtname = 'crdb_internal_close_views') THEN
    CREATE EVENT TRIGGER crdb_internal_close_views ON ddl_command_end WHEN TAG IN ('CREATE VIEW')
      EXECUTE FUNCTION crdb_internal.close_views();
  END IF;
  -- It is off while what an earlier version made gets its owner.
  ALTER EVENT TRIGGER crdb_internal_close_views ENABLE;
END
$$;
