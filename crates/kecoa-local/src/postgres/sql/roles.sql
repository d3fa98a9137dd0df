-- The roles of a cluster, put right at every start; run by the superuser in template1. What a client
-- may do is what root may do, and root may become nobody who may do more.
DO $$
DECLARE
  modern constant bool := pg_catalog.current_setting('server_version_num')::int4 >= 160000;
  r record;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'root') THEN
    CREATE ROLE root LOGIN;
  END IF;
  ALTER ROLE root LOGIN INHERIT CREATEDB NOSUPERUSER NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 VALID UNTIL 'infinity';
  -- Before PostgreSQL 16 who may create roles may grant any, those that run programs too.
  IF modern THEN
    ALTER ROLE root CREATEROLE;
  ELSE
    ALTER ROLE root NOCREATEROLE;
  END IF;
  -- A database's owner may set it for the database; what is set for a role counts for more.
  IF pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM pg_catalog.pg_db_role_setting
    WHERE setrole = 10 AND setdatabase = 0 AND 'transaction_timeout=0' = ANY (setconfig))
  THEN
    ALTER ROLE node SET transaction_timeout TO 0;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'admin') THEN
    CREATE ROLE admin NOLOGIN;
  END IF;
  FOR r IN
    SELECT rolname FROM pg_catalog.pg_roles
    WHERE oid <> 10 AND (rolsuper OR rolreplication OR rolbypassrls OR rolcreaterole AND NOT modern)
  LOOP
    EXECUTE pg_catalog.format('ALTER ROLE %I NOSUPERUSER NOREPLICATION NOBYPASSRLS', r.rolname);
    IF NOT modern THEN
      EXECUTE pg_catalog.format('ALTER ROLE %I NOCREATEROLE', r.rolname);
    END IF;
  END LOOP;
  FOR r IN
    SELECT g.rolname AS granted, m.rolname AS member
    FROM pg_catalog.pg_auth_members a
    JOIN pg_catalog.pg_roles g ON g.oid = a.roleid JOIN pg_catalog.pg_roles m ON m.oid = a.member
    WHERE m.oid <> 10 AND m.rolname !~ '^pg_'
      AND (g.oid = 10 OR g.rolname IN ('pg_execute_server_program', 'pg_read_server_files',
           'pg_write_server_files', 'pg_create_subscription', 'pg_maintain', 'pg_checkpoint',
           'pg_use_reserved_connections', 'pg_read_all_settings', 'pg_monitor',
           'pg_signal_autovacuum_worker'))
  LOOP
    EXECUTE pg_catalog.format('REVOKE %I FROM %I CASCADE', r.granted, r.member);
  END LOOP;
  IF NOT pg_catalog.pg_has_role('root', 'admin', 'MEMBER WITH ADMIN OPTION') THEN
    GRANT admin TO root WITH ADMIN OPTION;
  END IF;
  -- DROP DATABASE ends what runs in the database, and autovacuum's worker there is no role's: only this
  -- one may end it. Superusers' sessions are out of its reach.
  IF NOT pg_catalog.pg_has_role('root', 'pg_signal_backend', 'MEMBER') THEN
    GRANT pg_signal_backend TO root;
  END IF;
  -- What a role makes, its maker may use, and root may do what its roles may: it could grant itself that.
  IF modern THEN
    ALTER ROLE ALL SET createrole_self_grant TO 'set, inherit';
    FOR r IN
      SELECT g.rolname FROM pg_catalog.pg_auth_members a
      JOIN pg_catalog.pg_roles g ON g.oid = a.roleid JOIN pg_catalog.pg_roles m ON m.oid = a.member
      WHERE m.rolname = 'root' AND a.admin_option AND g.oid >= 16384::oid AND g.rolname <> 'admin'
      GROUP BY g.rolname
      HAVING NOT pg_catalog.bool_or(a.inherit_option AND a.set_option)
    LOOP
      BEGIN
        EXECUTE pg_catalog.format('GRANT %I TO root WITH INHERIT TRUE, SET TRUE', r.rolname);
      EXCEPTION WHEN invalid_grant_operation THEN
        NULL; -- it is a member of root's
      END;
    END LOOP;
  END IF;
  -- As in CockroachDB, any role may make tables in the schema public of a new database.
  GRANT CREATE ON SCHEMA public TO PUBLIC;
  FOR r IN
    SELECT d.datname FROM pg_catalog.pg_database d
    WHERE d.datdba = 10 AND d.datname NOT IN ('template0', 'template1')
  LOOP
    EXECUTE pg_catalog.format('ALTER DATABASE %I OWNER TO root', r.datname);
  END LOOP;
END
$$;
