//! Databases, and what is listed of one: schemas, sequences, types, functions and procedures.

use kecoa_sql::Statement;

use super::shown::{Found, own_database, rows, scope, with_comment};
use crate::dialect::catalog::Context;

/// The query for a `SHOW` about what a database has in it.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Found {
    let is = |word: &str| statement.is(at + 1, word);
    let (to, comment) = with_comment(statement, at, end);
    let from = at + 2;
    if is("DATABASES") && from == to {
        return rows(databases(comment), "SHOW DATABASES");
    }
    if is("SCHEMAS") {
        if statement.is_any(from, &["FROM", "IN"]) {
            own_database(statement, from + 1, to, context)?;
        }
        return rows(schemas(comment), "SHOW SCHEMAS");
    }
    if is("SEQUENCES") {
        if statement.is_any(from, &["FROM", "IN"]) {
            own_database(statement, from + 1, to, context)?;
        }
        return rows(SEQUENCES, "SHOW SEQUENCES");
    }
    if is("ENUMS") {
        let schema = scope(statement, from, to, context)?.condition("n.nspname");
        return rows(format!("{ENUMS} AND {schema} ORDER BY 1, 2"), "SHOW ENUMS");
    }
    if is("TYPES") && from == to {
        return rows(types(comment), "SHOW TYPES");
    }
    if is("FUNCTIONS") {
        let schema = scope(statement, from, to, context)?.condition("n.nspname");
        return rows(format!("{FUNCTIONS} AND {schema} ORDER BY 1, 2, 4"), "SHOW FUNCTIONS");
    }
    if is("PROCEDURES") {
        let schema = scope(statement, from, to, context)?.condition("n.nspname");
        return rows(format!("{PROCEDURES} AND {schema} ORDER BY 1, 2, 3"), "SHOW PROCEDURES");
    }
    Ok(None)
}

fn databases(comment: bool) -> String {
    let comment = if comment {
        ", pg_catalog.shobj_description(d.oid, 'pg_database') AS comment"
    } else {
        ""
    };
    format!(
        "SELECT d.datname::text AS database_name, r.rolname::text AS owner, \
         NULL::text AS primary_region, NULL::text AS secondary_region, '{{}}'::text[] AS regions, \
         NULL::text AS survival_goal{comment} FROM pg_catalog.pg_database d \
         JOIN pg_catalog.pg_roles r ON r.oid = d.datdba WHERE NOT d.datistemplate ORDER BY 1"
    )
}

/// The server's own schemas have no owner in CockroachDB; `public` has the database's.
fn schemas(comment: bool) -> String {
    let comment =
        if comment { ", pg_catalog.obj_description(n.oid, 'pg_namespace') AS comment" } else { "" };
    format!(
        "SELECT n.nspname::text AS schema_name, CASE WHEN NOT crdb_internal.is_users(n.nspname) \
         THEN NULL WHEN r.rolname = 'pg_database_owner' THEN o.rolname ELSE r.rolname END::text \
         AS owner{comment} FROM pg_catalog.pg_namespace n \
         JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner \
         JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database() \
         JOIN pg_catalog.pg_roles o ON o.oid = d.datdba \
         WHERE n.nspname !~ '^pg_(toast|temp)' ORDER BY n.nspname"
    )
}

const SEQUENCES: &str = "SELECT n.nspname::text AS sequence_schema, \
    c.relname::text AS sequence_name FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind = 'S' AND crdb_internal.is_users(n.nspname) ORDER BY c.relname, n.nspname";

const ENUMS: &str = "SELECT n.nspname::text AS schema, t.typname::text AS name, \
    ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid \
    ORDER BY e.enumsortorder) AS values, r.rolname::text AS owner FROM pg_catalog.pg_type t \
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    JOIN pg_catalog.pg_roles r ON r.oid = t.typowner WHERE t.typtype = 'e'";

/// Enumerations, and composite types that are no table's.
fn types(comment: bool) -> String {
    let comment =
        if comment { ", pg_catalog.obj_description(t.oid, 'pg_type') AS comment" } else { "" };
    format!(
        "SELECT n.nspname::text AS schema, t.typname::text AS name, r.rolname::text AS owner\
         {comment} FROM pg_catalog.pg_type t \
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         JOIN pg_catalog.pg_roles r ON r.oid = t.typowner \
         LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid \
         WHERE (t.typtype = 'e' OR t.typtype = 'c' AND c.relkind = 'c') \
         AND crdb_internal.is_users(n.nspname) ORDER BY 1, 2"
    )
}

const FUNCTIONS: &str = "SELECT n.nspname::text AS schema_name, \
    p.proname::text AS function_name, \
    pg_catalog.format_type(p.prorettype, NULL) AS result_data_type, \
    crdb_internal.argument_types(p.oid) AS argument_data_types, \
    CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window' ELSE 'func' END AS function_type, \
    CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END \
    AS volatility FROM pg_catalog.pg_proc p \
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind <> 'p'";

const PROCEDURES: &str = "SELECT n.nspname::text AS schema_name, \
    p.proname::text AS procedure_name, \
    crdb_internal.argument_types(p.oid) AS argument_data_types FROM pg_catalog.pg_proc p \
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind = 'p'";
