//! `SHOW GRANTS`, `SHOW DEFAULT PRIVILEGES`, `SHOW USERS`: who may do what.

use kecoa_sql::Statement;

use super::shown::{Shown, rows, table};
use crate::dialect::catalog::Context;
use crate::dialect::quote::quote;

/// What follows `SHOW GRANTS`.
pub(super) fn grants(
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

const GRANTS: &str = "SELECT pg_catalog.current_database()::text AS database_name, \
    table_schema::text AS schema_name, table_name::text AS object_name, \
    'table'::text AS object_type, grantee::text, privilege_type::text, \
    is_grantable = 'YES' AS is_grantable FROM information_schema.table_privileges \
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'crdb_internal')";

pub(super) const USERS: &str = "SELECT r.rolname::text AS username, \
    pg_catalog.array_remove(ARRAY[CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, \
    CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, \
    CASE WHEN NOT r.rolcanlogin THEN 'NOLOGIN' END], NULL)::text[] AS options, \
    ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m \
    JOIN pg_catalog.pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1) \
    AS member_of FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' AND NOT r.rolsuper \
    ORDER BY 1";

pub(super) const DEFAULT_PRIVILEGES: &str = "SELECT NULL::text AS role, NULL::bool AS for_all_roles, \
    NULL::text AS object_type, NULL::text AS grantee, NULL::text AS privilege_type, \
    NULL::bool AS is_grantable WHERE false";
