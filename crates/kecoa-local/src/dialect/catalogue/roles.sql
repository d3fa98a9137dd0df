-- Roles as CockroachDB lists them: those that were made, root, admin, and node, whose is what the server has itself.
-- Statements that name these in pg_catalog are sent here.
CALL crdb_internal.replace_view('crdb_internal', 'pg_roles', $view$
SELECT r.oid, r.rolname, a.is_admin AS rolsuper, r.rolinherit, r.rolcreaterole OR a.is_admin AS rolcreaterole,
  r.rolcreatedb OR a.is_admin AS rolcreatedb, a.is_admin AS rolcatupdate, r.rolcanlogin, false AS rolreplication,
  r.rolconnlimit, '********'::text AS rolpassword,
  nullif(r.rolvaliduntil, 'infinity') AS rolvaliduntil, a.is_admin AS rolbypassrls, r.rolconfig
FROM pg_catalog.pg_roles r CROSS JOIN LATERAL (SELECT r.rolname IN ('root', 'admin', 'node')) AS a(is_admin)
WHERE pg_catalog."left"(r.rolname::text, 3) <> 'pg_'
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'pg_authid', $view$
SELECT r.oid, r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
  r.rolbypassrls, r.rolconnlimit, r.rolpassword, r.rolvaliduntil
FROM crdb_internal.pg_roles r
$view$);

CALL crdb_internal.replace_view('crdb_internal', 'pg_user', $view$
SELECT r.rolname AS usename, r.oid AS usesysid, r.rolcreatedb AS usecreatedb, r.rolsuper AS usesuper,
  r.rolreplication AS userepl, r.rolbypassrls AS usebypassrls, r.rolpassword AS passwd, r.rolvaliduntil AS valuntil,
  r.rolconfig AS useconfig
FROM crdb_internal.pg_roles r WHERE r.rolcanlogin
$view$);

-- Empty in CockroachDB.
CALL crdb_internal.replace_view('crdb_internal', 'pg_shadow', 'SELECT * FROM crdb_internal.pg_user WHERE false');
CALL crdb_internal.replace_view('crdb_internal', 'pg_group',
  'SELECT r.rolname AS groname, r.oid AS grosysid, NULL::oid[] AS grolist FROM pg_catalog.pg_roles r WHERE false');

-- root is a member of what it makes, with PostgreSQL; who made something is none in CockroachDB.
CALL crdb_internal.replace_view('crdb_internal', 'pg_auth_members', $view$
SELECT pg_catalog.min((pg_catalog.to_jsonb(m) ->> 'oid')::int8)::oid AS oid, m.roleid, m.member, NULL::oid AS grantor,
  pg_catalog.bool_or(m.admin_option) AS admin_option
FROM pg_catalog.pg_auth_members m JOIN crdb_internal.pg_roles g ON g.oid = m.roleid
JOIN crdb_internal.pg_roles r ON r.oid = m.member
WHERE r.rolname <> 'node' AND (r.rolname <> 'root' OR g.rolname = 'admin')
GROUP BY m.roleid, m.member
$view$);
