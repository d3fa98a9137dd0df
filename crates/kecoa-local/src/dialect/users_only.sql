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
END
$$;

-- With the two tables of a foreign key: its name is a table's own, not the schema's. A unique index is a constraint.
CREATE OR REPLACE VIEW information_schema.referential_constraints AS
SELECT pg_catalog.current_database()::information_schema.sql_identifier AS constraint_catalog,
  n.nspname::information_schema.sql_identifier AS constraint_schema,
  k.conname::information_schema.sql_identifier AS constraint_name,
  pg_catalog.current_database()::information_schema.sql_identifier AS unique_constraint_catalog,
  xn.nspname::information_schema.sql_identifier AS unique_constraint_schema,
  x.relname::information_schema.sql_identifier AS unique_constraint_name,
  (CASE k.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' ELSE 'NONE' END)
    ::information_schema.character_data AS match_option,
  (CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
    WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END)::information_schema.character_data AS update_rule,
  (CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
    WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END)::information_schema.character_data AS delete_rule,
  f.relname::information_schema.sql_identifier AS table_name,
  t.relname::information_schema.sql_identifier AS referenced_table_name
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
JOIN pg_catalog.pg_class f ON f.oid = k.conrelid
JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
LEFT JOIN pg_catalog.pg_class x ON x.oid = k.conindid
LEFT JOIN pg_catalog.pg_namespace xn ON xn.oid = x.relnamespace
WHERE k.contype = 'f' AND (crdb_internal.is_users(n.nspname) OR n.nspname ~ '^pg_temp_')
  AND (pg_catalog.pg_has_role(f.relowner, 'USAGE')
    OR pg_catalog.has_table_privilege(f.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
    OR pg_catalog.has_any_column_privilege(f.oid, 'INSERT, UPDATE, REFERENCES'));

-- Statements that name pg_roles are sent here.
CREATE OR REPLACE VIEW crdb_internal.pg_roles AS
SELECT r.oid, r.rolname, r.rolsuper OR a.is_admin AS rolsuper, r.rolinherit, r.rolcreaterole OR a.is_admin AS rolcreaterole,
  r.rolcreatedb OR a.is_admin AS rolcreatedb, a.is_admin AS rolcatupdate, r.rolcanlogin, r.rolreplication, r.rolconnlimit,
  r.rolpassword, r.rolvaliduntil, r.rolbypassrls, r.rolconfig
FROM pg_catalog.pg_roles r CROSS JOIN LATERAL (SELECT r.rolname IN ('root', 'admin')) AS a(is_admin)
WHERE r.rolname !~ '^pg_' AND r.rolname <> 'node';
GRANT SELECT ON crdb_internal.pg_roles TO PUBLIC;
