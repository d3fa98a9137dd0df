//! `ALTER TABLE`.

use kecoa_sql::Statement;

use super::catalog::{Context, TableName};
use super::constraint_names::CheckNames;
use super::definition::{CONSTRAINTS, Definitions, empty_array};
use super::edit::{Edits, Sql};
use super::index_names::{perform, room_for};
use super::plan::{Analysis, Class, Piece, Refusal, Stop};
use super::quote::quote;
use super::table::is_storage;
use super::{expression, hidden_key, key_order, moments, on_update, partition, types, upsert};

/// Analyses `ALTER TABLE`; `None` for other statements.
pub(super) fn analyse(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Stop> {
    let Some((_, from)) = named(statement) else { return Ok(None) };
    let changes = statement.elements(from, statement.len());
    let alone = |(start, _): &(usize, usize)| {
        // Commands that PostgreSQL, or we, know as a statement of their own only.
        let column = start + 1 + usize::from(statement.is(start + 1, "COLUMN"));
        statement.is(*start, "RENAME")
            || statement.are(*start, &["ALTER", "PRIMARY", "KEY"])
            || statement.is(*start, "ALTER")
                && statement.is_any(column + 1, &["SET", "DROP"])
                && statement.are(column + 2, &["ON", "UPDATE"])
    };
    if changes.len() < 2 || !changes.iter().any(alone) {
        return one(statement, context).map(Some);
    }
    let head = statement.slice(0, from);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = 0;
    while let Some((start, mut end)) = changes.get(at).copied() {
        at += 1;
        if !alone(&(start, end)) {
            while let Some(next) = changes.get(at).filter(|next| !alone(next)) {
                end = next.1;
                at += 1;
            }
        }
        let text = format!("{head} {}", statement.slice(start, end));
        let Some(part) = Statement::whole(text.as_bytes(), context.backslash_escapes) else {
            continue;
        };
        // No position in it means anything to the client.
        let made = one(&part, context)?.pieces;
        pieces.extend(made.into_iter().map(|p| Piece { sql: Sql::made(p.sql.text), ..p }));
    }
    Piece::answer_last(&mut pieces, "ALTER TABLE");
    Ok(Some(Analysis { class: Class::Definition, control: None, pieces }))
}

/// Where the table's name stands, and what follows it.
fn named(statement: &Statement<'_>) -> Option<(usize, usize)> {
    if !statement.are(0, &["ALTER", "TABLE"]) {
        return None;
    }
    let mut at = if statement.are(2, &["IF", "EXISTS"]) { 4 } else { 2 };
    at += usize::from(statement.is(at, "ONLY"));
    let end = statement.qualified_name(at)?;
    let inherited = statement.is_mark(end, "*");
    Some((at, if inherited { end + 1 } else { end }))
}

/// A statement that PostgreSQL can take as one.
fn one(statement: &Statement<'_>, context: &Context<'_>) -> Result<Analysis, Stop> {
    if let Some(analysis) = alter_primary_key(statement) {
        return Ok(analysis);
    }
    let mut edits = Edits::under(context.settings);
    expression::rewrite(statement, context, &mut edits)?;
    let Some((name, from)) = named(statement) else {
        return Ok(Analysis::piece(Class::Definition, Piece::edited(statement, edits)));
    };
    let end = statement.qualified_name(name).unwrap_or(from);
    let table = upsert::table_name(statement, name, end, context)?;
    let to = statement.len();
    if let Some(table) = &table
        && let Some(analysis) = on_update::alter(statement, from, to, table, context)?
    {
        return Ok(analysis);
    }
    let mut definitions = Definitions::new(context, table);
    if let Some(ignored) = commands(statement, from, &mut definitions, &mut edits)? {
        return Ok(Analysis::piece(Class::Definition, Piece::notice(&ignored, "ALTER TABLE")));
    }
    let mut pieces = std::mem::take(&mut definitions.before);
    pieces.push(Piece::edited(statement, edits));
    pieces.append(&mut definitions.behind());
    Piece::answer_last(&mut pieces, "ALTER TABLE");
    Ok(Analysis { class: Class::Definition, control: None, pieces })
}

/// Refuses to drop a UNIQUE constraint, or a primary key that no other follows.
fn dropped_constraints(
    statement: &Statement<'_>,
    from: usize,
    definitions: &Definitions<'_>,
) -> Vec<Piece> {
    let Some(table) = &definitions.table else { return Vec::new() };
    let adds = |at: usize| {
        let named = if statement.is(at, "CONSTRAINT") { at + 2 } else { at };
        statement.are(named, &["PRIMARY", "KEY"])
    };
    let changes = statement.elements(from, statement.len());
    // Within a transaction the new one may come in the next statement.
    let replaced = !definitions.context.settings.autocommit_before_ddl
        || changes.iter().any(|(start, _)| statement.is(*start, "ADD") && adds(start + 1));
    changes
        .iter()
        .filter(|(start, _)| statement.are(*start, &["DROP", "CONSTRAINT"]))
        .filter_map(|(start, _)| {
            let exists = if statement.are(start + 2, &["IF", "EXISTS"]) { 2 } else { 0 };
            statement.name(start + 2 + exists)
        })
        .map(|name| {
            perform(&format!(
                "crdb_internal.check_dropped_constraint({}, {}, {replaced})",
                quote(&table.quoted()),
                quote(&name)
            ))
        })
        .collect()
}

/// Refuses to rename what a view reads: a table, or a column of it.
fn renamed(table: &TableName, column: Option<&str>) -> Piece {
    let column = column.map_or_else(|| "NULL".to_owned(), quote);
    perform(&format!("crdb_internal.check_renamed({}, {column})", quote(&table.quoted())))
}

/// The columns that are dropped, unless a constraint goes first.
fn dropped(statement: &Statement<'_>, from: usize) -> Vec<String> {
    let mut columns = Vec::new();
    for (start, _) in statement.elements(from, statement.len()) {
        if statement.are(start, &["DROP", "CONSTRAINT"]) {
            return Vec::new();
        }
        if statement.is(start, "DROP") {
            let mut at = start + 1 + usize::from(statement.is(start + 1, "COLUMN"));
            at += if statement.are(at, &["IF", "EXISTS"]) { 2 } else { 0 };
            columns.extend(statement.name(at));
        }
    }
    columns
}

/// Rewrites the commands from `from` on; returns what to say when the whole is ignored.
fn commands(
    statement: &Statement<'_>,
    from: usize,
    definitions: &mut Definitions<'_>,
    edits: &mut Edits,
) -> Result<Option<String>, Stop> {
    let to = statement.len();
    let context = definitions.context;
    if let Some(table) = definitions.table.clone() {
        let checks = (from..to).any(|at| {
            statement.is(at, "CHECK") && !(at >= 2 && statement.is(at - 2, "CONSTRAINT"))
        });
        if checks {
            definitions.checks = check_names(statement, from, &table, context)?;
        }
    }
    for at in from + 2..to {
        let column = if statement.is(at - 2, "COLUMN") { at - 3 } else { at - 2 };
        if statement.are(at, &["DROP", "STORED"]) && statement.is(column, "ALTER") {
            edits.replace(statement.start(at + 1), statement.end(at + 1), "EXPRESSION");
        }
    }
    if let Some(table) = definitions.table.as_ref().filter(|_| context.settings.strict) {
        let checked = dropped(statement, from).into_iter().map(|column| {
            let call = "crdb_internal.check_dropped";
            perform(&format!("{call}({}, {})", quote(&table.quoted()), quote(&column)))
        });
        definitions.before.extend(checked);
    }
    if context.settings.strict {
        let checked = dropped_constraints(statement, from, definitions);
        definitions.before.extend(checked);
    }
    let mut retyped = false;
    for (start, end) in statement.elements(from, to) {
        if statement.is_any(start, &["SET", "RESET"]) && statement.is_mark(start + 1, "(") {
            if statement.name(start + 2).is_some_and(|name| is_storage(&name)) {
                let what = statement.slice(start + 1, end);
                return Ok(Some(format!("the local endpoint ignores storage parameters: {what}")));
            }
        } else if statement.is(start, "PARTITION") {
            partition::refuse(statement, start, end, "partition tables")?;
        } else if statement.is(start, "ADD") {
            let mut at = start + 1;
            if statement.is_any(at, &CONSTRAINTS) {
                definitions.constraint(statement, at, end, edits)?;
                continue;
            }
            at += usize::from(statement.is(at, "COLUMN"));
            if statement.are(at, &["IF", "NOT", "EXISTS"]) {
                at += 3;
            }
            definitions.column(statement, at, end, edits)?;
        } else if statement.is(start, "ALTER") {
            let at = start + 1 + usize::from(statement.is(start + 1, "COLUMN"));
            let kind = if statement.is(at + 1, "TYPE") {
                at + 2
            } else if statement.are(at + 1, &["SET", "DATA", "TYPE"]) {
                at + 4
            } else {
                if statement.is(end - 1, "VISIBLE") && statement.is(at + 1, "SET") {
                    return Err(Refusal::cluster_only("hide a column (NOT VISIBLE)").into());
                }
                if statement.are(at + 1, &["SET", "DEFAULT"]) {
                    empty_array(statement, at + 3, edits);
                    moments::annotated(statement, at + 3, edits);
                }
                continue;
            };
            definitions.type_of(statement, at, kind, false, edits)?;
            if context.settings.strict
                && let Some(table) = &definitions.table
                && let Some(column) = statement.name(at)
            {
                let alone = statement.elements(from, to).len() == 1;
                let check = retyped_column(statement, (kind, end), alone, table, &column, context)?;
                definitions.before.push(check);
            }
            retyped = true;
        } else if statement.are(start, &["RENAME", "TO"])
            && let Some(table) = &definitions.table
            && let Some(name) = statement.name(start + 2)
        {
            if context.settings.strict {
                definitions.before.push(renamed(table, None));
            }
            definitions.before.push(hidden_key::keep(table, None));
            let wanted = TableName { name, ..table.clone() };
            definitions.before.extend(room_for(&wanted, Vec::new(), context)?);
        } else if statement.is(start, "RENAME")
            && !statement.is(start + 1, "CONSTRAINT")
            && context.settings.strict
            && let Some(table) = &definitions.table
        {
            let at = start + 1 + usize::from(statement.is(start + 1, "COLUMN"));
            if let Some(column) = statement.name(at).filter(|_| statement.is(at + 1, "TO")) {
                definitions.before.push(renamed(table, Some(&column)));
            }
        }
    }
    if retyped {
        stand_in_names(definitions)?;
    }
    Ok(None)
}

/// Refuses a type that CockroachDB does not give the column, which stands in `kind..end`.
fn retyped_column(
    statement: &Statement<'_>,
    (kind, end): (usize, usize),
    alone: bool,
    table: &TableName,
    column: &str,
    context: &Context<'_>,
) -> Result<Piece, Stop> {
    let behind = |at| statement.is_any(at, &["USING", "COLLATE"]);
    let last = statement.find(kind, end, behind).unwrap_or(end);
    let uses = statement.find(last, end, |at| statement.is(at, "USING")).is_some();
    let given = statement.slice(kind, last);
    let mut wanted = given.clone().into_owned();
    if let Some(written) = Statement::whole(given.as_bytes(), context.backslash_escapes) {
        let mut edits = Edits::under(context.settings);
        types::rewrite(&written, 0, false, &mut edits)?;
        wanted = String::from_utf8_lossy(&edits.apply(written.sql(), 0).text).into_owned();
    }
    let given = shown_type(&given);
    Ok(perform(&format!(
        "crdb_internal.check_retyped({}, {}, {}, {}, {uses}, {alone})",
        quote(&table.quoted()),
        quote(column),
        quote(&wanted),
        quote(&given)
    )))
}

/// A type as CockroachDB names it in a message.
fn shown_type(written: &str) -> String {
    let name = written.to_ascii_uppercase();
    match name.as_str() {
        "INT" | "INTEGER" | "BIGINT" | "INT64" => "INT8".to_owned(),
        "TEXT" => "STRING".to_owned(),
        "BOOLEAN" => "BOOL".to_owned(),
        "JSON" => "JSONB".to_owned(),
        "FLOAT" | "DOUBLE PRECISION" => "FLOAT8".to_owned(),
        "SMALLINT" => "INT2".to_owned(),
        _ => name,
    }
}

/// PostgreSQL makes the indexes of a column whose type changes anew, under names that must be theirs
/// alone meanwhile.
fn stand_in_names(definitions: &mut Definitions<'_>) -> Result<(), Stop> {
    let Some(table) = &definitions.table else { return Ok(()) };
    if definitions.context.catalog.names(table, &[])?.aside {
        let table = quote(&table.quoted());
        definitions.before.push(perform(&format!("crdb_internal.stand_in_names({table})")));
        definitions.after.push(perform(&format!("crdb_internal.own_names({table})")));
    }
    Ok(())
}

/// The names that CHECK constraints of `table` have and get, with the columns that the statement adds.
fn check_names(
    statement: &Statement<'_>,
    from: usize,
    table: &TableName,
    context: &Context<'_>,
) -> Result<CheckNames, Stop> {
    let mut columns: std::collections::HashSet<String> =
        context.catalog.table(table)?.iter().map(|column| column.name.clone()).collect();
    for (start, _) in statement.elements(from, statement.len()) {
        if statement.is(start, "ADD") {
            let mut at = start + 1 + usize::from(statement.is(start + 1, "COLUMN"));
            at += if statement.are(at, &["IF", "NOT", "EXISTS"]) { 3 } else { 0 };
            columns.extend(statement.name(at).filter(|_| !statement.is_any(at, &CONSTRAINTS)));
        }
    }
    let used = context.catalog.names(table, &[])?.constraints.clone();
    let mut names = CheckNames::new(columns, used);
    names.note_given(statement, from, statement.len());
    Ok(names)
}

/// `ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (…) [USING HASH …]` alone; `None` for other
/// statements.
fn alter_primary_key(statement: &Statement<'_>) -> Option<Analysis> {
    const WORDS: [&str; 5] = ["ALTER", "PRIMARY", "KEY", "USING", "COLUMNS"];
    if !statement.are(0, &["ALTER", "TABLE"]) {
        return None;
    }
    let name = if statement.are(2, &["IF", "EXISTS"]) { 4 } else { 2 };
    let at = statement.qualified_name(name).filter(|at| statement.are(*at, &WORDS))?;
    let open = at + WORDS.len();
    let closing = statement.partner(open).filter(|_| statement.is_mark(open, "("))?;
    let hashed = statement.are(closing + 1, &["USING", "HASH"]);
    if closing + 1 != statement.len() && !hashed {
        return None;
    }
    let elements = statement.elements(open + 1, closing);
    let descending: Vec<String> = elements
        .iter()
        .filter(|(_, end)| statement.is(end - 1, "DESC"))
        .filter_map(|(start, _)| statement.name(*start))
        .collect();
    let columns = elements
        .into_iter()
        .map(|(from, _)| statement.name(from).map(|column| quote(&column)))
        .collect::<Option<Vec<_>>>()?
        .join(", ");
    let written = statement.slice(name, at);
    let order = key_order::call(&written, &descending)
        .map_or_else(String::new, |call| format!("PERFORM {call}; "));
    let table = quote(&written);
    let body = format!(
        "BEGIN {order}PERFORM crdb_internal.alter_primary_key({table}::pg_catalog.regclass, \
         ARRAY[{columns}]); END"
    );
    let piece = Piece::tagged(format!("DO {}", quote(&body)), "ALTER TABLE");
    Some(Analysis::piece(Class::Definition, piece))
}
