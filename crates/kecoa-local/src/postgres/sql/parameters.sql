-- PostgreSQL 15 and newer: rights to set a superuser's parameters, or to write them into its files. What
-- keeps CockroachDB's variables is nobody's secret: root may set it for roles and databases.
DO $$
DECLARE
  r record;
BEGIN
  FOR r IN
    SELECT p.parname, g.rolname
    FROM pg_catalog.pg_parameter_acl p CROSS JOIN LATERAL pg_catalog.aclexplode(p.paracl) a
    LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee 
    WHERE a.grantee <> 10
      AND NOT (p.parname ~ '^kecoa[.]' AND g.rolname = 'root' AND a.privilege_type = 'SET')
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON PARAMETER %s FROM %s CASCADE', r.parname,
      coalesce(pg_catalog.quote_ident(r.rolname), 'PUBLIC'));
  END LOOP;
END
$$;
