//! `SHOW`, with CockroachDB's columns, from PostgreSQL's catalog.

mod cluster;
mod databases;
mod functions;
mod grants;
mod shown;
mod tables;
mod variables;

use kecoa_sql::Statement;
use shown::{Shown, rows, uncounted};

use super::catalog::Context;
use super::plan::{Refusal, Stop};

/// The query for the `SHOW` at `at..end`; `None` when PostgreSQL shall have it as it is.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Result<Option<Shown>, Stop> {
    let from = statement.find(at, end, |i| statement.is(i, "FROM")).map(|i| i + 1);
    let is = |words: &[&str]| statement.are(at + 1, words);
    let table =
        |from: Option<usize>| from.and_then(|from| shown::table(statement, from, end, context));
    let found = not_of_a_table(statement, at, end, context);
    if found.is_some() {
        return Ok(found);
    }
    let comment = end >= 2 && statement.are(end - 2, &["WITH", "COMMENT"]);
    let end = if comment { end - 2 } else { end };
    Ok(if is(&["TABLES"]) {
        rows(tables::tables(&databases::schema(statement, from, context)?, comment), "SHOW TABLES")
    } else if is(&["DATABASES"]) && at + 2 == end {
        rows(databases::databases(comment), "SHOW DATABASES")
    } else if is(&["SCHEMAS"]) {
        rows(databases::SCHEMAS, "SHOW SCHEMAS")
    } else if is(&["COLUMNS"]) {
        table(from).and_then(|table| rows(tables::columns(&table, comment), "SHOW COLUMNS"))
    } else if statement.is_any(at + 1, &["INDEX", "INDEXES", "KEYS"])
        && from.is_some_and(|from| statement.is(from, "DATABASE"))
    {
        let all = "ANY (SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace NOT IN \
                   (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN \
                   ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_toast')))";
        rows(tables::indexes(all), "SHOW INDEXES")
    } else if statement.is_any(at + 1, &["INDEX", "INDEXES", "KEYS"]) {
        table(from).and_then(|table| rows(tables::indexes(&table), "SHOW INDEXES"))
    } else if statement.is_any(at + 1, &["CONSTRAINT", "CONSTRAINTS"]) {
        table(from).and_then(|table| rows(tables::constraints(&table), "SHOW CONSTRAINTS"))
    } else if is(&["CREATE", "ALL", "TABLES"]) {
        let all = "ANY (SELECT k.oid FROM pg_catalog.pg_class k WHERE k.relkind IN \
                   ('r', 'p', 'v', 'm', 'S') AND k.relnamespace NOT IN (SELECT s.oid \
                   FROM pg_catalog.pg_namespace s WHERE s.nspname IN \
                   ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_toast')))";
        let each = tables::create_table(all);
        rows(format!("SELECT create_statement FROM ({each}) AS t ORDER BY 1"), "SHOW CREATE")
    } else if is(&["CREATE"]) {
        let name = at + 2 + usize::from(statement.is_any(at + 2, &["TABLE", "VIEW", "SEQUENCE"]));
        table(Some(name)).and_then(|table| rows(tables::create_table(&table), "SHOW CREATE"))
    } else if statement.is_any(at + 1, &["USERS", "ROLES"]) && at + 2 == end {
        rows(grants::USERS, if is(&["USERS"]) { "SHOW USERS" } else { "SHOW ROLES" })
    } else if is(&["SEQUENCES"]) {
        rows(tables::SEQUENCES, "SHOW SEQUENCES")
    } else if is(&["TYPES"]) || is(&["ENUMS"]) {
        rows(tables::ENUMS, "SHOW ENUMS")
    } else if is(&["DATABASE"]) && at + 2 == end {
        uncounted("SELECT pg_catalog.current_database()::text AS database", "SHOW")
    } else if is(&["CLUSTER", "SETTING"]) {
        let name = statement.slice(at + 3, end).to_ascii_lowercase();
        if name != "version" {
            return Err(Refusal::cluster_only("show cluster settings").into());
        }
        uncounted("SELECT '25.2'::text AS version", "SHOW CLUSTER SETTING")
    } else {
        let name = at + 1 + usize::from(statement.is_any(at + 1, &["SESSION", "LOCAL"]));
        let name = match statement.qualified_name(name) {
            Some(last) if last == end => statement.slice(name, last).to_ascii_lowercase(),
            _ => return Ok(None),
        };
        crate::dialect::variables::shown(&name).and_then(|sql| uncounted(sql, "SHOW"))
    })
}

/// The query for a `SHOW` that is not about tables; `None` for the others.
fn not_of_a_table(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Option<Shown> {
    let is = |words: &[&str]| statement.are(at + 1, words);
    if is(&["GRANTS"]) {
        return grants::grants(statement, at + 2, end, context);
    }
    if is(&["CREATE", "DATABASE"]) {
        let name = statement.name(at + 3).filter(|_| at + 4 == end)?;
        return rows(databases::create_database(&name), "SHOW CREATE");
    }
    if is(&["CREATE", "INDEXES", "FROM"]) || is(&["CREATE", "SECONDARY", "INDEXES", "FROM"]) {
        let secondary = statement.is(at + 2, "SECONDARY");
        let table = shown::table(statement, at + 4 + usize::from(secondary), end, context)?;
        return rows(tables::create_indexes(&table, secondary), "SHOW CREATE");
    }
    if is(&["CREATE", "FUNCTION"]) || is(&["CREATE", "PROCEDURE"]) {
        let name = statement.name(end - 1)?;
        return rows(functions::create_function(&name), "SHOW CREATE");
    }
    if is(&["FUNCTIONS"]) {
        rows(functions::FUNCTIONS, "SHOW FUNCTIONS")
    } else if is(&["PROCEDURES"]) {
        rows(functions::PROCEDURES, "SHOW PROCEDURES")
    } else if is(&["DEFAULT", "PRIVILEGES"]) {
        rows(grants::DEFAULT_PRIVILEGES, "SHOW DEFAULT PRIVILEGES")
    } else if is(&["ALL"]) && at + 2 == end {
        rows(variables::all(), "SHOW")
    } else {
        cluster::query(statement, at)
    }
}
