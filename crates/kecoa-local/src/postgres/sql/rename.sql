-- A cluster of an earlier version, whose superuser was the clients' root: that role becomes node, and
-- a new root takes what was its own. Run by a superuser that is neither.
SET allow_system_table_mods = on;
DO $$
DECLARE
  fresh oid;
  r record;
BEGIN
  FOR r IN SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = 'node' AND oid <> 10 LOOP
    ALTER ROLE node RENAME TO node_of_clients;
  END LOOP;
  ALTER ROLE root RENAME TO node;
  CREATE ROLE root LOGIN;
  SELECT oid INTO fresh FROM pg_catalog.pg_roles WHERE rolname = 'root';
  UPDATE pg_catalog.pg_db_role_setting SET setrole = fresh WHERE setrole = 10;
  FOR r IN
    SELECT rolname FROM pg_catalog.pg_roles
    WHERE rolname !~ '^pg_' AND rolname NOT IN ('root', 'node', 'kecoa_migration') AND oid <> 10
  LOOP
    EXECUTE pg_catalog.format('GRANT %I TO root WITH ADMIN OPTION', r.rolname);
  END LOOP;
END
$$;
RESET allow_system_table_mods;
