-- Views of information_schema that have no rows in CockroachDB, and roles without PostgreSQL's.
DO $$
DECLARE
  v record;
  text text;
BEGIN
  FOR v IN
    SELECT name, 'false' AS condition FROM unnest('{attributes,check_constraint_routine_usage,column_column_usage,
      column_domain_usage,column_options,constraint_table_usage,data_type_privileges,domain_constraints,domain_udt_usage,
      domains,element_types,foreign_data_wrapper_options,foreign_data_wrappers,foreign_server_options,foreign_servers,
      foreign_table_options,foreign_tables,parameters,role_column_grants,role_routine_grants,role_udt_grants,
      role_usage_grants,routine_column_usage,routine_privileges,routine_routine_usage,routine_sequence_usage,
      routine_table_usage,routines,transforms,triggered_update_columns,triggers,udt_privileges,usage_privileges,
      user_defined_types,user_mapping_options,user_mappings,view_column_usage,view_routine_usage,view_table_usage}'::text[])
      AS u(name)
    UNION ALL SELECT * FROM (VALUES
      ('enabled_roles', 'q.role_name::pg_catalog.text !~ ''^pg_'''),
      ('applicable_roles', 'q.role_name::pg_catalog.text !~ ''^pg_'''),
      ('column_udt_usage', 'crdb_internal.is_users(q.table_schema::pg_catalog.name)')) AS a(name, condition)
  LOOP
    -- Older servers have fewer.
    CONTINUE WHEN to_regclass(format('information_schema.%I', v.name)) IS NULL;
    text := rtrim(pg_get_viewdef(format('information_schema.%I', v.name)::regclass), ';');
    CONTINUE WHEN text ~ 'is_users|\^pg_|WHERE false';
    EXECUTE format('CREATE OR REPLACE VIEW information_schema.%I AS SELECT q.* FROM (%s) AS q WHERE %s', v.name, text,
      v.condition);
  END LOOP;
END
$$;
