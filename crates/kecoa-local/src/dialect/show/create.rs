//! `SHOW CREATE …`: the statements that would make a thing anew.

use kecoa_sql::Statement;

use super::shown::{Found, relation, rows};
use crate::dialect::catalog::Context;
use crate::dialect::plan::Refusal;
use crate::dialect::quote::quote;

/// The query for the `SHOW CREATE` at `at`.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Found {
    if !statement.is(at + 1, "CREATE") {
        return Ok(None);
    }
    let what = at + 2;
    if statement.is(what, "ALL") {
        return all(statement, what + 1, end);
    }
    if statement.is(what, "DATABASE") && what + 2 == end {
        return database(statement, what + 1, context);
    }
    if statement.is_any(what, &["FUNCTION", "PROCEDURE"]) && what + 1 < end {
        return routine(statement, what, end);
    }
    let secondary = statement.is(what, "SECONDARY") && statement.is(what + 1, "INDEXES");
    let from = what + 1 + usize::from(secondary);
    if (secondary || statement.is(what, "INDEXES")) && statement.is_any(from, &["FROM", "IN"]) {
        let table = statement.is(from + 1, "TABLE") && from + 2 < end;
        let found = relation(statement, from + 1 + usize::from(table), end, context)?;
        return found.map_or(Ok(None), |found| indexes(&found.oid, secondary));
    }
    if statement.is(what, "TRIGGER") && statement.is(what + 2, "ON") {
        let Some(name) = statement.name(what + 1) else { return Ok(None) };
        let found = relation(statement, what + 3, end, context)?;
        return found.map_or(Ok(None), |found| trigger(&name, &found.oid));
    }
    let kinds = ["TABLE", "VIEW", "SEQUENCE", "MATERIALIZED"];
    let mut name = what;
    while statement.is_any(name, &kinds) && name + 1 < end && !statement.is_mark(name + 1, ".") {
        name += 1;
    }
    let Some(found) = relation(statement, name, end, context)? else { return Ok(None) };
    let mut foreign_keys = true;
    if found.end < end {
        if !statement.is(found.end, "WITH") {
            return Ok(None);
        }
        if !statement.is(found.end + 1, "IGNORE_FOREIGN_KEYS") {
            return Err(Refusal::cluster_only("redact what SHOW CREATE shows").into());
        }
        foreign_keys = false;
    }
    rows(
        format!(
            "SELECT {}::text AS table_name, \
             crdb_internal.shown_create({}, {foreign_keys}) AS create_statement",
            found.name, found.oid
        ),
        "SHOW CREATE",
    )
}

fn all(statement: &Statement<'_>, at: usize, end: usize) -> Found {
    let (what, tag) = if at + 1 != end {
        return Ok(None);
    } else if statement.is(at, "TABLES") {
        ("tables", "SHOW CREATE ALL TABLES")
    } else if statement.is(at, "SCHEMAS") {
        ("schemas", "SHOW CREATE ALL SCHEMAS")
    } else if statement.is(at, "TYPES") {
        ("types", "SHOW CREATE ALL TYPES")
    } else if statement.is(at, "ROUTINES") {
        ("routines", "SHOW CREATE ALL ROUTINES")
    } else {
        return Ok(None);
    };
    rows(
        format!(
            "SELECT s.line AS create_statement FROM \
             crdb_internal.show_create_all_{what}(pg_catalog.current_database()::text) AS s(line)"
        ),
        tag,
    )
}

fn database(statement: &Statement<'_>, at: usize, context: &Context<'_>) -> Found {
    let name = statement.name(at).unwrap_or_default();
    if !context.catalog.database(&name)? {
        let message = format!("database \"{name}\" does not exist");
        return Err(Refusal::new("3D000", message).into());
    }
    rows(
        format!(
            "SELECT name AS database_name, create_statement FROM crdb_internal.databases \
             WHERE name = {}",
            quote(&name)
        ),
        "SHOW CREATE DATABASE",
    )
}

fn routine(statement: &Statement<'_>, at: usize, end: usize) -> Found {
    let procedure = statement.is(at, "PROCEDURE");
    let (column, kind, tag) = if procedure {
        ("procedure_name", 'p', "SHOW CREATE PROCEDURE")
    } else {
        ("function_name", 'f', "SHOW CREATE FUNCTION")
    };
    // The arguments behind the name choose none: CockroachDB takes a name alone.
    let Some(last) = statement.qualified_name(at + 1).filter(|last| *last == end) else {
        return Ok(None);
    };
    let name = statement.name(last - 1).unwrap_or_default();
    let visible = match last.checked_sub(3).filter(|schema| *schema > at) {
        Some(schema) => format!("= {}", quote(&statement.name(schema).unwrap_or_default())),
        None => "= ANY (pg_catalog.current_schemas(false))".to_owned(),
    };
    rows(
        format!(
            "SELECT p.proname::text AS {column}, \
             crdb_internal.shown_routine(p.oid) AS create_statement \
             FROM crdb_internal.shown_routines({}, '{kind}') AS r(id) \
             JOIN pg_catalog.pg_proc p ON p.oid = r.id \
             JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
             WHERE n.nspname {visible} ORDER BY p.oid",
            quote(&name)
        ),
        tag,
    )
}

fn indexes(tab: &str, secondary: bool) -> Found {
    let secondary = if secondary { " AND NOT i.indisprimary" } else { "" };
    rows(
        format!(
            "SELECT x.relname::text AS index_name, crdb_internal.shown_index(x.oid, \
             pg_catalog.quote_ident(pg_catalog.current_database()) || '.' \
             || crdb_internal.qualified(i.indrelid)) AS create_statement \
             FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
             WHERE i.indrelid = {tab}{secondary} ORDER BY NOT i.indisprimary, x.oid"
        ),
        "SHOW CREATE INDEXES",
    )
}

fn trigger(name: &str, tab: &str) -> Found {
    rows(
        format!(
            "SELECT g.tgname::text AS trigger_name, \
             pg_catalog.pg_get_triggerdef(g.oid) AS create_statement \
             FROM pg_catalog.pg_trigger g \
             WHERE g.oid = crdb_internal.trigger_named({tab}, {})",
            quote(name)
        ),
        "SHOW CREATE TRIGGER",
    )
}
