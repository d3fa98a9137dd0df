-- Catalogue views list what is the users', as CockroachDB's do, temporary tables among it: no tables of the server's
-- own, no roles but those that were made and CockroachDB's.
DO $$
DECLARE
  v record;
  text text;
BEGIN
  FOR v IN
    SELECT * FROM (VALUES
      ('information_schema.key_column_usage', 'crdb_internal.is_users(q.table_schema::pg_catalog.name) OR q.table_schema::pg_catalog.name ~ ''^pg_temp_'''),
      ('information_schema.table_constraints', 'crdb_internal.is_users(q.table_schema::pg_catalog.name) OR q.table_schema::pg_catalog.name ~ ''^pg_temp_'''),
      ('information_schema.constraint_column_usage', 'crdb_internal.is_users(q.table_schema::pg_catalog.name) OR q.table_schema::pg_catalog.name ~ ''^pg_temp_'''),
      ('information_schema.referential_constraints', 'crdb_internal.is_users(q.constraint_schema::pg_catalog.name) OR q.constraint_schema::pg_catalog.name ~ ''^pg_temp_'''),
      ('information_schema.sequences', 'crdb_internal.is_users(q.sequence_schema::pg_catalog.name) OR q.sequence_schema::pg_catalog.name ~ ''^pg_temp_'''),
      ('information_schema.enabled_roles', 'q.role_name::pg_catalog.text !~ ''^pg_'''),
      ('information_schema.applicable_roles', 'q.role_name::pg_catalog.text !~ ''^pg_'''),
      ('pg_catalog.pg_sequences', 'crdb_internal.is_users(q.schemaname) OR q.schemaname ~ ''^pg_temp_''')
    ) AS a(name, condition)
  LOOP
    text := rtrim(pg_get_viewdef(v.name::regclass), ';');
    CONTINUE WHEN text ~ 'is_users|\^pg_';
    EXECUTE format('CREATE OR REPLACE VIEW %s AS SELECT q.* FROM (%s) AS q WHERE %s', v.name, text, v.condition);
  END LOOP;
  -- The two tables of a foreign key.
  IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'information_schema.referential_constraints'::regclass
                 AND attname = 'referenced_table_name') THEN
    EXECUTE format('CREATE OR REPLACE VIEW information_schema.referential_constraints AS SELECT q.*, '
      'f.relname::information_schema.sql_identifier AS table_name, '
      't.relname::information_schema.sql_identifier AS referenced_table_name FROM (%s) AS q '
      'LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = q.constraint_schema::pg_catalog.name '
      'LEFT JOIN pg_catalog.pg_constraint k ON k.connamespace = n.oid AND k.contype = ''f'' '
      'AND k.conname = q.constraint_name::pg_catalog.name '
      'LEFT JOIN pg_catalog.pg_class f ON f.oid = k.conrelid LEFT JOIN pg_catalog.pg_class t ON t.oid = k.confrelid',
      rtrim(pg_get_viewdef('information_schema.referential_constraints'::regclass), ';'));
  END IF;
END
$$;

-- Statements that name pg_roles are sent here.
CREATE OR REPLACE VIEW crdb_internal.pg_roles AS
SELECT r.oid, r.rolname, r.rolsuper OR a.is_admin AS rolsuper, r.rolinherit, r.rolcreaterole OR a.is_admin AS rolcreaterole,
  r.rolcreatedb OR a.is_admin AS rolcreatedb, a.is_admin AS rolcatupdate, r.rolcanlogin, r.rolreplication, r.rolconnlimit,
  r.rolpassword, r.rolvaliduntil, r.rolbypassrls, r.rolconfig
FROM pg_catalog.pg_roles r CROSS JOIN LATERAL (SELECT r.rolname IN ('root', 'admin')) AS a(is_admin)
WHERE r.rolname !~ '^pg_' AND r.rolname <> 'node';
GRANT SELECT ON crdb_internal.pg_roles TO PUBLIC;
