-- What of the catalogue is whose.

-- What lies in crdb_internal: CockroachDB's, which is listed, and the endpoint's own, which is not.
CREATE OR REPLACE FUNCTION crdb_internal.is_own(schema name, relation name) RETURNS bool
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT schema = 'information_schema' AND pg_catalog."left"(relation::text, 4) = '_pg_' OR schema = 'crdb_internal' AND relation NOT IN ('cluster_queries', 'cluster_sessions', 'cluster_settings',
    'cluster_transactions', 'create_function_statements', 'create_procedure_statements', 'create_schema_statements',
    'create_statements', 'create_type_statements', 'databases', 'index_columns', 'index_usage_statistics', 'invalid_objects',
    'jobs', 'kv_inherited_role_members', 'node_build_info', 'node_queries', 'node_sessions', 'node_transactions', 'partitions',
    'regions', 'schema_changes', 'super_regions', 'table_columns', 'table_indexes', 'table_row_statistics', 'tables')
$$;

-- Whether a schema is a user's, or the session's own for temporary tables.
CREATE OR REPLACE FUNCTION crdb_internal.is_listed(id oid, schema name) RETURNS bool
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT crdb_internal.is_users(schema) OR id = pg_catalog.pg_my_temp_schema()
$$;

-- Whether the current role has any privilege on a table.
CREATE OR REPLACE FUNCTION crdb_internal.may_see(tab oid, owner oid) RETURNS bool
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT pg_catalog.pg_has_role(owner, 'USAGE')
    OR pg_catalog.has_table_privilege(tab, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
    OR pg_catalog.has_any_column_privilege(tab, 'SELECT, INSERT, UPDATE, REFERENCES')
$$;
