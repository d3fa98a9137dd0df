-- Who may do what, as CockroachDB lists it. root and admin have all of everything, and so has who
-- made it; an access list that gives all that PostgreSQL knows of an object is ALL.

-- The privileges of one object's access list, or of an object that has none: `every` holds those
-- that together are ALL, `shown` those that CockroachDB has too.
CREATE OR REPLACE FUNCTION crdb_internal.shown_privileges(
  acl aclitem[], owner oid, every text[], shown text[], public text[])
RETURNS TABLE (grantee text, privilege_type text, is_grantable bool)
LANGUAGE sql STABLE AS $$
  WITH given AS (
    SELECT coalesce(r.rolname::text, 'public') AS grantee, a.grantee = owner AS owns,
      pg_catalog.array_agg(a.privilege_type) AS privileges,
      pg_catalog.array_agg(a.privilege_type) FILTER (WHERE a.is_grantable) AS grantable
    FROM pg_catalog.aclexplode(acl) AS a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    GROUP BY 1, 2
  )
  SELECT r.name, 'ALL', true FROM (
    SELECT 'admin' UNION SELECT 'root' UNION
    SELECT o.rolname::text FROM pg_catalog.pg_roles o
    WHERE o.oid = owner AND o.rolname !~ '^pg_' AND NOT o.rolsuper) AS r(name)
  UNION ALL
  SELECT 'public', p, false FROM pg_catalog.unnest(public) AS p WHERE acl IS NULL
  UNION ALL
  SELECT g.grantee, 'ALL', coalesce(g.grantable @> every, false) FROM given AS g
  WHERE g.privileges @> every AND NOT g.owns AND g.grantee NOT IN ('admin', 'root')
  UNION ALL
  SELECT g.grantee, p, coalesce(p = ANY (g.grantable), false)
  FROM given AS g CROSS JOIN LATERAL pg_catalog.unnest(g.privileges) AS p
  WHERE NOT g.privileges @> every AND NOT g.owns AND g.grantee NOT IN ('admin', 'root')
    AND p = ANY (shown)
$$;

-- All privileges in the session's database, and those of the other databases themselves.
CREATE OR REPLACE VIEW crdb_internal.shown_grants AS
SELECT pg_catalog.current_database()::text AS database_name, n.nspname::text AS schema_name,
  c.relname::text AS object_name,
  CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS object_type, c.oid AS object_id,
  p.grantee, p.privilege_type, p.is_grantable
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL crdb_internal.shown_privileges(c.relacl, c.relowner,
  CASE c.relkind WHEN 'S' THEN '{SELECT,UPDATE,USAGE}' ELSE '{SELECT,INSERT,UPDATE,DELETE}' END::text[],
  '{SELECT,INSERT,UPDATE,DELETE,USAGE}', '{}') AS p
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')
  AND n.nspname !~ '^pg_(toast|temp)'
UNION ALL
SELECT pg_catalog.current_database()::text, n.nspname::text, NULL, 'schema', n.oid,
  p.grantee, p.privilege_type, p.is_grantable
FROM pg_catalog.pg_namespace n
CROSS JOIN LATERAL crdb_internal.shown_privileges(n.nspacl, n.nspowner, '{CREATE,USAGE}',
  '{CREATE,USAGE}', '{}') AS p
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')
  AND n.nspname !~ '^pg_(toast|temp)' AND p.grantee <> 'pg_database_owner'
UNION ALL
SELECT d.datname::text, NULL, NULL, 'database', d.oid, p.grantee,
  CASE p.privilege_type WHEN 'TEMPORARY' THEN 'CREATE' ELSE p.privilege_type END, p.is_grantable
FROM pg_catalog.pg_database d
CROSS JOIN LATERAL crdb_internal.shown_privileges(d.datacl, d.datdba,
  '{CREATE,TEMPORARY,CONNECT}', '{CREATE,CONNECT}', '{CONNECT}') AS p
WHERE NOT d.datistemplate
UNION ALL
SELECT pg_catalog.current_database()::text, n.nspname::text, t.typname::text, 'type', t.oid,
  p.grantee, p.privilege_type, p.is_grantable
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
CROSS JOIN LATERAL crdb_internal.shown_privileges(t.typacl, t.typowner, '{ALL}', '{USAGE}',
  '{USAGE}') AS p
WHERE (t.typtype = 'e' OR t.typtype = 'c' AND c.relkind = 'c')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')
  AND n.nspname !~ '^pg_(toast|temp)'
UNION ALL
SELECT pg_catalog.current_database()::text, n.nspname::text,
  f.proname || '(' || crdb_internal.argument_types(f.oid) || ')', 'routine', f.oid,
  p.grantee, p.privilege_type, p.is_grantable
FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
CROSS JOIN LATERAL crdb_internal.shown_privileges(f.proacl, f.proowner, '{ALL}', '{EXECUTE}',
  '{EXECUTE}') AS p
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')
  AND n.nspname !~ '^pg_(toast|temp)' AND f.oid >= 16384::oid
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
                  WHERE e.objid = f.oid AND e.deptype = 'e');

-- The type of a name, or the error for one that is missing.
CREATE OR REPLACE FUNCTION crdb_internal.shown_type_named(name text) RETURNS oid
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  found regtype := pg_catalog.to_regtype(name);
BEGIN
  IF found IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42704',
      MESSAGE = pg_catalog.format('type "%s" does not exist', pg_catalog.replace(name, '"', ''));
  END IF;
  RETURN found;
END
$$;

-- A role that SHOW GRANTS FOR names, and all roles it is a member of.
CREATE OR REPLACE FUNCTION crdb_internal.shown_grantees(names text[]) RETURNS text[]
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  missing text;
BEGIN
  SELECT u.name INTO missing FROM pg_catalog.unnest(names) AS u(name)
    WHERE u.name <> 'public'
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles r WHERE r.rolname = u.name) LIMIT 1;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42704',
      MESSAGE = pg_catalog.format('role/user "%s" does not exist', missing);
  END IF;
  RETURN ARRAY(
    WITH RECURSIVE roles(name) AS (
      SELECT u.name COLLATE "C" FROM pg_catalog.unnest(names) AS u(name)
      UNION
      SELECT g.rolname::text FROM roles JOIN pg_catalog.pg_roles r ON r.rolname = roles.name
      JOIN pg_catalog.pg_auth_members m ON m.member = r.oid
      JOIN pg_catalog.pg_roles g ON g.oid = m.roleid)
    SELECT roles.name FROM roles UNION SELECT 'public');
END
$$;

-- ALTER DEFAULT PRIVILEGES, and what CockroachDB has without it.
CREATE OR REPLACE VIEW crdb_internal.shown_default_privileges AS
WITH kinds(letter, name, every) AS (VALUES
  ('r', 'tables', '{SELECT,INSERT,UPDATE,DELETE}'::text[]), ('S', 'sequences', '{SELECT,UPDATE,USAGE}'),
  ('n', 'schemas', '{CREATE,USAGE}'), ('T', 'types', '{ALL}'), ('f', 'routines', '{ALL}'))
SELECT r.rolname::text AS role, false AS for_all_roles, k.name AS object_type, r.rolname::text AS grantee,
  'ALL'::text AS privilege_type, true AS is_grantable, NULL::text AS schema_name
FROM pg_catalog.pg_roles r, kinds AS k WHERE r.rolname !~ '^pg_' AND NOT r.rolsuper
UNION ALL
SELECT r.rolname::text, false, k.name, 'public', CASE k.letter WHEN 'T' THEN 'USAGE' ELSE 'EXECUTE' END,
  false, NULL
FROM pg_catalog.pg_roles r, kinds AS k
WHERE k.letter IN ('T', 'f') AND r.rolname !~ '^pg_' AND NOT r.rolsuper
UNION ALL
SELECT NULL, true, k.name, 'public', CASE k.letter WHEN 'T' THEN 'USAGE' ELSE 'EXECUTE' END, false, NULL
FROM kinds AS k WHERE k.letter IN ('T', 'f')
UNION ALL
SELECT d.defaclrole::regrole::text, false, k.name, coalesce(g.rolname::text, 'public'),
  a.privilege_type, a.is_grantable, n.nspname::text
FROM pg_catalog.pg_default_acl d JOIN kinds AS k ON k.letter = d.defaclobjtype::text
CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS a
LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
WHERE a.grantee <> d.defaclrole
  AND a.privilege_type NOT IN ('REFERENCES', 'TRIGGER', 'TRUNCATE', 'MAINTAIN')
  AND NOT (a.grantee = 0 AND a.privilege_type IN ('USAGE', 'EXECUTE') AND k.letter IN ('T', 'f'));

GRANT SELECT ON crdb_internal.shown_grants, crdb_internal.shown_default_privileges TO PUBLIC;
