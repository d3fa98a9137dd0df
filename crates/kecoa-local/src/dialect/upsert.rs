//! `UPSERT` -> `INSERT … ON CONFLICT (primary key) DO UPDATE`.

use kecoa_sql::Statement;

use super::catalog::{Context, Need, TableName};
use super::edit::Edits;
use super::plan::{Refusal, Stop};
use super::quote::quote_name;

/// Rewrites the `UPSERT` at `at`, which ends at `end` (the statement's end or the bracket around).
///
/// Two rows with one key in the same statement are an error (21000) in both databases.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Stop> {
    edits.replace(statement.start(at), statement.end(at), "INSERT");
    let Some(name_end) = statement.qualified_name(at + 2) else {
        return Ok(());
    };
    if (at + 2..name_end).step_by(2).any(|part| statement.name(part).is_none()) {
        // A plain insert in its place would be another statement.
        return Err(Refusal {
            detail: String::new(),
            code: "0A000",
            message: "the local endpoint cannot read the name of the table in this UPSERT"
                .to_owned(),
            hint: "write it without U&\"\"".to_owned(),
        }
        .into());
    }
    let Some(table) = table_name(statement, at + 2, name_end, context)? else {
        return Ok(());
    };
    let columns = context.catalog.table(&table)?;
    let key: Vec<String> = columns.iter().filter(|c| c.key).map(|c| quote_name(&c.name)).collect();
    if key.is_empty() {
        // Without a primary key CockroachDB's hidden rowid never conflicts: an insert. Without a
        // table the insert says so.
        return Ok(());
    }
    if table.schema.is_none()
        && let Some(schema) = context.catalog.schema_of(&table)
    {
        // The key is this table's: the statement must not reach another one of the same name.
        edits.insert(statement.start(at + 2), format!("{}.", quote_name(schema)));
    }
    let mut next = name_end;
    if statement.is(next, "AS") {
        next += 2;
    } else if statement.is_name(next)
        && !statement.is_any(next, &["VALUES", "SELECT", "DEFAULT", "WITH", "TABLE", "RETURNING"])
    {
        next += 1;
    }
    let listed = statement
        .partner(next)
        .filter(|_| statement.is_mark(next, "("))
        .filter(|_| !statement.is_any(next + 1, &["SELECT", "VALUES", "WITH", "TABLE"]))
        .filter(|_| !statement.is_mark(next + 1, "("));
    let mut set: Vec<String> = match listed {
        Some(closing) => statement
            .elements(next + 1, closing)
            .into_iter()
            .filter_map(|(from, _)| statement.name(from))
            .filter(|name| !columns.iter().any(|c| &c.name == name && (c.key || c.generated)))
            .collect(),
        None => columns
            .iter()
            .filter(|column| !column.key && !column.generated)
            .map(|column| column.name.clone())
            .collect(),
    };
    if set.is_empty() {
        // Touch the row all the same, so that RETURNING and the row count have it.
        set = columns.iter().filter(|c| c.key && !c.generated).map(|c| c.name.clone()).collect();
    }
    let action = if set.is_empty() {
        "DO NOTHING".to_owned()
    } else {
        let assignments: Vec<String> = set
            .iter()
            .map(|name| {
                let name = quote_name(name);
                format!("{name} = excluded.{name}")
            })
            .collect();
        format!("DO UPDATE SET {}", assignments.join(", "))
    };
    let clause = format!("ON CONFLICT ({}) {action}", key.join(", "));
    match statement.find(name_end, end, |i| statement.is(i, "RETURNING")) {
        Some(returning) => edits.insert(statement.start(returning), format!("{clause} ")),
        None => edits.insert(statement.end(end.saturating_sub(1)), format!(" {clause}")),
    }
    Ok(())
}

/// The table named at `from..to`, without the database if that is the session's own.
pub(super) fn table_name(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    context: &Context<'_>,
) -> Result<Option<TableName>, Need> {
    let parts: Vec<String> = (from..to).step_by(2).map_while(|i| statement.name(i)).collect();
    Ok(match parts.as_slice() {
        [name] => Some(TableName { schema: None, name: name.clone() }),
        [database, name]
            if database == context.database && !context.catalog.schema(database)? =>
        {
            Some(TableName { schema: Some("public".to_owned()), name: name.clone() })
        }
        [schema, name] => Some(TableName { schema: Some(schema.clone()), name: name.clone() }),
        [database, schema, name] if database == context.database => {
            Some(TableName { schema: Some(schema.clone()), name: name.clone() })
        }
        _ => None,
    })
}
