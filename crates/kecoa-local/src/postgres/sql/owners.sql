-- What clients made while they were superusers becomes root's: run in every database before anything
-- else is, once. Functions would go on running with a superuser's rights, and event
-- triggers would run clients' code in a superuser's session.
DO $$
DECLARE
  o record;
  owned text;
BEGIN
  FOR o IN SELECT evtname FROM pg_catalog.pg_event_trigger LOOP
    EXECUTE pg_catalog.format('ALTER EVENT TRIGGER %I DISABLE', o.evtname);
  END LOOP;

  -- Functions in languages that reach the machine stay the superuser's, and nobody may call them.
  FOR o IN
    SELECT p.oid::pg_catalog.regprocedure AS name, p.prokind, r.rolname
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL pg_catalog.aclexplode(
      coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE NOT l.lanpltrusted AND p.prokind <> 'a' AND p.oid >= 16384::oid AND a.grantee <> 10 AND a.grantee <> p.proowner
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                        AND d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM %s CASCADE', o.name,
      coalesce(pg_catalog.quote_ident(o.rolname), 'PUBLIC'));
  END LOOP;
  FOR o IN
    SELECT p.oid::pg_catalog.regprocedure AS name
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE NOT l.lanpltrusted AND p.prokind <> 'a' AND p.oid >= 16384::oid AND p.proowner <> 10
  LOOP
    EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO node', o.name);
    EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC CASCADE', o.name);
  END LOOP;

  -- What lies beside PostgreSQL's own and ours stays the superuser's; it runs as its caller from now on.
  FOR o IN
    SELECT p.oid::pg_catalog.regprocedure AS name
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prosecdef AND p.proowner = 10 AND p.oid >= 16384::oid
      AND n.nspname IN ('pg_catalog', 'information_schema', 'crdb_internal')
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                        AND d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE pg_catalog.format('ALTER ROUTINE %s SECURITY INVOKER', o.name);
  END LOOP;

  -- Ways through a foreign server to PostgreSQL's own socket, where no password is asked for.
  FOR o IN
    SELECT s.srvname, r.rolname
    FROM pg_catalog.pg_user_mapping u JOIN pg_catalog.pg_foreign_server s ON s.oid = u.umserver
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = u.umuser
    WHERE EXISTS (SELECT 1 FROM pg_catalog.unnest(u.umoptions) AS c WHERE c ~ '^password_required=')
  LOOP
    EXECUTE pg_catalog.format('ALTER USER MAPPING FOR %s SERVER %I OPTIONS (DROP password_required)',
      coalesce(pg_catalog.quote_ident(o.rolname), 'PUBLIC'), o.srvname);
  END LOOP;

  -- PostgreSQL's own functions that it lets superusers call only.
  FOR o IN
    SELECT p.oid::pg_catalog.regprocedure AS name, r.rolname
    FROM pg_catalog.pg_init_privs i
    JOIN pg_catalog.pg_proc p ON p.oid = i.objoid
    CROSS JOIN LATERAL pg_catalog.aclexplode(
      coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE i.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND a.grantee <> 10
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.aclexplode(i.initprivs) b
                      WHERE b.grantee = a.grantee)
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM %s CASCADE', o.name,
      coalesce(pg_catalog.quote_ident(o.rolname), 'PUBLIC'));
  END LOOP;

  -- Whatever has an owner and can be given to another, by the catalog that lists it.
  SELECT pg_catalog.string_agg(pg_catalog.format(
      'SELECT %L::pg_catalog.regclass AS class, oid, %s AS space FROM pg_catalog.%I WHERE %I = 10 %s',
      'pg_catalog.' || coalesce(identity, catalog), space, catalog, owner, condition), ' UNION ALL ')
    INTO STRICT owned
    FROM (VALUES
      ('pg_namespace', NULL, 'nspowner', 'oid', ''),
      ('pg_class', NULL, 'relowner', 'relnamespace', $q$AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')$q$),
      ('pg_proc', NULL, 'proowner', 'pronamespace', $q$AND (prokind = 'a' OR prolang IN (
        SELECT l.oid FROM pg_catalog.pg_language l WHERE l.lanpltrusted))$q$),
      ('pg_type', NULL, 'typowner', 'typnamespace', $q$AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = typrelid AND c.relkind <> 'c')$q$),
      ('pg_operator', NULL, 'oprowner', 'oprnamespace', ''),
      ('pg_opclass', NULL, 'opcowner', 'opcnamespace', ''),
      ('pg_opfamily', NULL, 'opfowner', 'opfnamespace', ''),
      ('pg_collation', NULL, 'collowner', 'collnamespace', ''),
      ('pg_conversion', NULL, 'conowner', 'connamespace', ''),
      ('pg_ts_config', NULL, 'cfgowner', 'cfgnamespace', ''),
      ('pg_ts_dict', NULL, 'dictowner', 'dictnamespace', ''),
      ('pg_statistic_ext', NULL, 'stxowner', 'stxnamespace', ''),
      ('pg_publication', NULL, 'pubowner', '0::oid', ''),
      ('pg_foreign_server', NULL, 'srvowner', '0::oid', ''),
      ('pg_largeobject_metadata', 'pg_largeobject', 'lomowner', '0::oid', '')
    ) AS c(catalog, identity, owner, space, condition);
  FOR o IN EXECUTE $q$
    SELECT i.type, i.identity
    FROM ($q$ || owned || $q$) AS w LEFT JOIN pg_catalog.pg_namespace n ON n.oid = w.space
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(w.class, w.oid, 0) i
    -- A large object's number is whatever its maker chose.
    WHERE (w.oid >= 16384::oid OR w.class = 'pg_catalog.pg_largeobject'::pg_catalog.regclass)
      AND coalesce(n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')
                   AND n.nspname !~ '^pg_(toast|temp)', true)
      AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_depend d
        WHERE d.classid = w.class AND d.objid = w.oid AND d.objsubid = 0
          AND (d.deptype IN ('e', 'i')
               OR d.deptype = 'a' AND i.type = 'sequence'
                  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass))
  $q$
  LOOP
    EXECUTE pg_catalog.format('ALTER %s %s OWNER TO root',
      CASE o.type WHEN 'statistics object' THEN 'statistics' ELSE o.type END, o.identity);
  END LOOP;

  FOR o IN
    SELECT n.nspname FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
    WHERE n.nspname = 'public' AND n.nspowner = 10 AND d.datname <> 'template1'
  LOOP
    EXECUTE 'ALTER SCHEMA public OWNER TO root';
  END LOOP;

  -- What was to be granted on everything that root will make.
  FOR o IN
    SELECT n.nspname, d.defaclobjtype AS kind, a.privilege_type, a.is_grantable, r.rolname
    FROM pg_catalog.pg_default_acl d
    CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE d.defaclrole = 10 AND a.grantee <> 10
  LOOP
    EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE root %s GRANT %s ON %s TO %s %s',
      'IN SCHEMA ' || pg_catalog.quote_ident(o.nspname), o.privilege_type,
      CASE o.kind WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'
        WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
      coalesce(pg_catalog.quote_ident(o.rolname), 'PUBLIC'),
      CASE WHEN o.is_grantable THEN 'WITH GRANT OPTION' ELSE '' END);
  END LOOP;
  DELETE FROM pg_catalog.pg_default_acl WHERE defaclrole = 10;
END
$$;
