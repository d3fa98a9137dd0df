//! `SHOW FUNCTIONS`, `SHOW PROCEDURES`, `SHOW CREATE FUNCTION`.

use crate::dialect::quote::quote;

/// How the functions of this name were made.
pub(super) fn create_function(name: &str) -> String {
    format!(
        "SELECT p.proname::text AS function_name, \
         pg_catalog.pg_get_functiondef(p.oid) AS create_statement FROM pg_catalog.pg_proc p \
         WHERE p.proname = {} AND p.prokind IN ('f', 'p') \
         AND pg_catalog.pg_function_is_visible(p.oid)",
        quote(name)
    )
}

pub(super) const FUNCTIONS: &str = "SELECT n.nspname::text AS schema_name, p.proname::text AS function_name, \
    pg_catalog.pg_get_function_result(p.oid) AS result_data_type, \
    pg_catalog.pg_get_function_arguments(p.oid) AS argument_data_types, \
    'func'::text AS function_type, CASE p.provolatile WHEN 'i' THEN 'immutable' \
    WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility FROM pg_catalog.pg_proc p \
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind = 'f' \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal') ORDER BY 1, 2, 4";

pub(super) const PROCEDURES: &str = "SELECT n.nspname::text AS schema_name, \
    p.proname::text AS procedure_name, \
    pg_catalog.pg_get_function_arguments(p.oid) AS argument_data_types, \
    'proc'::text AS procedure_type FROM pg_catalog.pg_proc p \
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind = 'p' \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal') ORDER BY 1, 2, 3";
