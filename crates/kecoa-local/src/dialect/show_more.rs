//! The rarer kinds of `SHOW`: grants, sessions, functions, regions, jobs, comments.

use super::plan::Context;
use super::plan::quote;
use super::show::{Shown, rows, table};
use super::statement::Statement;
use super::variables;

/// The query for the rarer `SHOW` at `at..end`; `None` for the others.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Option<Shown> {
    let is = |words: &[&str]| statement.are(at + 1, words);
    // SHOW CLUSTER SESSIONS, SHOW ALL LOCAL QUERIES, …
    let mut noun = at + 1;
    while statement.is_any(noun, &["ALL", "CLUSTER", "LOCAL"]) {
        noun += 1;
    }
    if is(&["GRANTS"]) {
        return grants(statement, at + 2, end, context);
    }
    if is(&["CREATE", "DATABASE"]) {
        let name = statement.name(at + 3).filter(|_| at + 4 == end)?;
        return rows(create_database(&name), "SHOW CREATE");
    }
    if is(&["CREATE", "INDEXES", "FROM"]) || is(&["CREATE", "SECONDARY", "INDEXES", "FROM"]) {
        let secondary = statement.is(at + 2, "SECONDARY");
        let table = table(statement, at + 4 + usize::from(secondary), end, context)?;
        return rows(create_indexes(&table, secondary), "SHOW CREATE");
    }
    if is(&["CREATE", "FUNCTION"]) || is(&["CREATE", "PROCEDURE"]) {
        let name = statement.name(end - 1)?;
        return rows(create_function(&name), "SHOW CREATE");
    }
    let (sql, tag) = if statement.is(noun, "SESSIONS") {
        (SESSIONS, "SHOW SESSIONS")
    } else if statement.is_any(noun, &["QUERIES", "STATEMENTS"]) {
        (QUERIES, "SHOW QUERIES")
    } else if statement.is_any(noun, &["JOBS", "JOB"]) {
        (JOBS, "SHOW JOBS")
    } else if is(&["CLUSTER", "SETTINGS"]) || is(&["ALL", "CLUSTER", "SETTINGS"]) {
        (SETTINGS, "SHOW CLUSTER SETTINGS")
    } else if is(&["REGIONS", "FROM", "CLUSTER"]) {
        ("SELECT region, zones FROM crdb_internal.regions", "SHOW REGIONS")
    } else if is(&["REGIONS", "FROM", "DATABASE"]) {
        (DATABASE_REGIONS, "SHOW REGIONS")
    } else if is(&["REGIONS"]) {
        (REGIONS, "SHOW REGIONS")
    } else if is(&["SURVIVAL", "GOAL"]) {
        (SURVIVAL, "SHOW SURVIVAL GOAL")
    } else if is(&["FUNCTIONS"]) {
        (FUNCTIONS, "SHOW FUNCTIONS")
    } else if is(&["PROCEDURES"]) {
        (PROCEDURES, "SHOW PROCEDURES")
    } else if is(&["DEFAULT", "PRIVILEGES"]) {
        (DEFAULT_PRIVILEGES, "SHOW DEFAULT PRIVILEGES")
    } else if is(&["ALL"]) && at + 2 == end {
        return rows(all(), "SHOW");
    } else {
        return None;
    };
    rows(sql, tag)
}

/// What follows `SHOW GRANTS`.
fn grants(
    statement: &Statement<'_>,
    from: usize,
    end: usize,
    context: &Context<'_>,
) -> Option<Shown> {
    let mut at = from;
    let mut what = GRANTS.to_owned();
    if statement.is(at, "ON") {
        at += 1;
        if statement.is(at, "DATABASE") {
            let name = quote(&statement.name(at + 1)?);
            what = format!(
                "SELECT d.datname::text AS database_name, coalesce(r.rolname, 'public')::text \
                 AS grantee, a.privilege_type::text, a.is_grantable FROM pg_catalog.pg_database d, \
                 pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a \
                 LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee WHERE d.datname = {name}"
            );
            at += 2;
        } else {
            at += usize::from(statement.is(at, "TABLE"));
            let table = table(statement, at, end, context)?;
            at = statement.qualified_name(at)?;
            what = format!(
                "SELECT pg_catalog.current_database()::text AS database_name, \
                 n.nspname::text AS schema_name, c.relname::text AS table_name, \
                 coalesce(r.rolname, 'public')::text AS grantee, a.privilege_type::text, \
                 a.is_grantable FROM pg_catalog.pg_class c \
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, \
                 pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a \
                 LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee WHERE c.oid = {table}"
            );
        }
    }
    if statement.is(at, "FOR") {
        let name = quote(&statement.name(at + 1)?);
        what = format!("SELECT * FROM ({what}) AS g WHERE g.grantee = {name}");
        at += 2;
    }
    if at != end {
        return None;
    }
    rows(format!("SELECT * FROM ({what}) AS g ORDER BY 1, 2, 3, 4, 5"), "SHOW GRANTS").map(
        |shown| {
            if what.contains("pg_database") {
                Shown {
                    sql: shown.sql.replace(" ORDER BY 1, 2, 3, 4, 5", " ORDER BY 1, 2, 3"),
                    ..shown
                }
            } else {
                shown
            }
        },
    )
}

fn create_database(name: &str) -> String {
    format!(
        "SELECT name AS database_name, create_statement FROM crdb_internal.databases \
         WHERE name = {}",
        quote(name)
    )
}

fn create_indexes(table: &str, secondary: bool) -> String {
    format!(
        "SELECT x.relname::text AS index_name, \
         pg_catalog.pg_get_indexdef(x.oid) AS create_statement FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = {table}{} \
         ORDER BY 1",
        if secondary { " AND NOT i.indisprimary" } else { "" }
    )
}

fn create_function(name: &str) -> String {
    format!(
        "SELECT p.proname::text AS function_name, \
         pg_catalog.pg_get_functiondef(p.oid) AS create_statement FROM pg_catalog.pg_proc p \
         WHERE p.proname = {} AND p.prokind IN ('f', 'p') \
         AND pg_catalog.pg_function_is_visible(p.oid)",
        quote(name)
    )
}

/// `SHOW ALL`: CockroachDB's variables and PostgreSQL's.
fn all() -> String {
    let own: Vec<String> = variables::VARIABLES
        .iter()
        .map(|(name, default, _)| {
            let option = quote(&variables::option_name(name));
            format!(
                "({}, coalesce(nullif(pg_catalog.current_setting({option}, true), ''), {}))",
                quote(name),
                quote(default)
            )
        })
        .collect();
    format!(
        "SELECT variable, value FROM (SELECT name AS variable, setting AS value \
         FROM pg_catalog.pg_settings WHERE name NOT IN ('server_version', 'server_version_num') \
         UNION ALL SELECT * FROM (VALUES {}) AS own(variable, value)) AS v ORDER BY 1",
        own.join(", ")
    )
}

const GRANTS: &str = "SELECT pg_catalog.current_database()::text AS database_name, \
    table_schema::text AS schema_name, table_name::text AS object_name, \
    'table'::text AS object_type, grantee::text, privilege_type::text, \
    is_grantable = 'YES' AS is_grantable FROM information_schema.table_privileges \
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')";

const SESSIONS: &str = "SELECT * FROM crdb_internal.cluster_sessions ORDER BY session_start";

const QUERIES: &str = "SELECT * FROM crdb_internal.cluster_queries ORDER BY start";

const JOBS: &str = "SELECT * FROM crdb_internal.jobs";

const SETTINGS: &str = "SELECT variable, value, type AS setting_type, public, description, \
    default_value, origin FROM crdb_internal.cluster_settings ORDER BY 1";

const REGIONS: &str = "SELECT region, zones, NULL::text[] AS database_names, \
    NULL::text[] AS primary_region_of, NULL::text[] AS secondary_region_of \
    FROM crdb_internal.regions";

const DATABASE_REGIONS: &str = "SELECT NULL::text AS database, region, NULL::bool AS primary, \
    NULL::bool AS secondary, zones FROM crdb_internal.regions";

const SURVIVAL: &str = "SELECT pg_catalog.current_database()::text AS database, \
    NULL::text AS survival_goal";

const FUNCTIONS: &str = "SELECT n.nspname::text AS schema_name, p.proname::text AS function_name, \
    pg_catalog.pg_get_function_result(p.oid) AS result_data_type, \
    pg_catalog.pg_get_function_arguments(p.oid) AS argument_data_types, \
    'func'::text AS function_type, CASE p.provolatile WHEN 'i' THEN 'immutable' \
    WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility FROM pg_catalog.pg_proc p \
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind = 'f' \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal') ORDER BY 1, 2, 4";

const PROCEDURES: &str = "SELECT n.nspname::text AS schema_name, \
    p.proname::text AS procedure_name, \
    pg_catalog.pg_get_function_arguments(p.oid) AS argument_data_types, \
    'proc'::text AS procedure_type FROM pg_catalog.pg_proc p \
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind = 'p' \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal') ORDER BY 1, 2, 3";

const DEFAULT_PRIVILEGES: &str = "SELECT NULL::text AS role, NULL::bool AS for_all_roles, \
    NULL::text AS object_type, NULL::text AS grantee, NULL::text AS privilege_type, \
    NULL::bool AS is_grantable WHERE false";
