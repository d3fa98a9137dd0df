//! `CREATE TABLE` and `ALTER TABLE`: types, families, indexes inside, hash sharding.

use kecoa_sql::Statement;

use super::catalog::Context;
use super::edit::Edits;
use super::plan::{Analysis, Class, Piece, Refusal, Stop};
use super::quote::quote;
use super::{expression, index, index_clauses, partition, region, types, upsert};

const CONSTRAINTS: [&str; 7] =
    ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"];

/// The index of the table's name in `CREATE … TABLE [IF NOT EXISTS] name`, and whether the
/// statement has `IF NOT EXISTS`.
fn created(statement: &Statement<'_>) -> Option<(usize, bool)> {
    let mut at = 1;
    while statement.is_any(at, &["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED"]) {
        at += 1;
    }
    if !statement.is(0, "CREATE") || !statement.is(at, "TABLE") {
        return None;
    }
    let lenient = statement.are(at + 1, &["IF", "NOT", "EXISTS"]);
    Some((if lenient { at + 4 } else { at + 1 }, lenient))
}

/// Analyses `CREATE TABLE`; `None` for other statements.
pub(super) fn create(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Stop> {
    let Some((name, lenient)) = created(statement) else {
        return Ok(None);
    };
    let Some(open) = statement.qualified_name(name) else {
        return Ok(None);
    };
    let mut edits = Edits::under(context.settings);
    expression::rewrite(statement, context, &mut edits)?;
    let closing = statement.partner(open).filter(|_| statement.is_mark(open, "("));
    let mut indexes = Vec::new();
    if let Some(closing) = closing {
        let is_query = statement.is_any(open + 1, &["SELECT", "WITH", "VALUES", "TABLE"]);
        // CREATE TABLE t (a, b) AS SELECT names columns without types.
        let names_only = statement.is(closing + 1, "AS");
        if !is_query && !names_only {
            let table = statement.slice(name, open);
            indexes = body(statement, open + 1, closing, &table, &mut edits)?;
        }
        trailer(statement, closing + 1, &mut edits)?;
    }
    let exists = lenient
        && !indexes.is_empty()
        && match upsert::table_name(statement, name, open, context)? {
            Some(table) => !context.catalog.table(&table)?.is_empty(),
            None => false,
        };
    let first = Piece::edited(statement, edits);
    let mut pieces = vec![first];
    if !exists {
        for text in &indexes {
            if let Some(index) = Statement::whole(text.as_bytes(), context.backslash_escapes)
                && let Some(made) = index::create(&index, context)?
            {
                // No position in them means anything to the client.
                pieces.extend(
                    made.into_iter().map(|piece| Piece {
                        sql: super::edit::Sql::made(piece.sql.text),
                        ..piece
                    }),
                );
            }
        }
    }
    Piece::answer_last(&mut pieces, "CREATE TABLE");
    Ok(Some(Analysis { class: Class::Definition, control: None, pieces }))
}

/// Rewrites the elements between the brackets; returns the indexes among them as CockroachDB's
/// `CREATE INDEX` statements.
fn body(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    table: &str,
    edits: &mut Edits,
) -> Result<Vec<String>, Stop> {
    let mut indexes = Vec::new();
    let mut kept_before = false;
    for (start, end) in statement.elements(from, to) {
        let index = index_element(statement, start, end, table)?;
        if index.is_some() || is_family(statement, start) {
            // With the comma before it, or the one behind it while nothing was kept yet.
            let (first, last) = if kept_before {
                (statement.end(start - 2), statement.end(end - 1))
            } else if statement.is_mark(end, ",") {
                (statement.start(start), statement.end(end))
            } else {
                (statement.start(start), statement.end(end - 1))
            };
            let first = if kept_before { statement.start(start - 1) } else { first };
            edits.replace(first, last, "");
            indexes.extend(index);
            continue;
        }
        kept_before = true;
        if statement.is_any(start, &CONSTRAINTS) {
            constraint(statement, start, end, edits);
        } else {
            column(statement, start, end, edits)?;
        }
    }
    Ok(indexes)
}

/// `FAMILY [name] (…)`. A column named "family" has a type behind it, or a length in brackets.
fn is_family(statement: &Statement<'_>, at: usize) -> bool {
    let open = if statement.is_mark(at + 1, "(") { at + 1 } else { at + 2 };
    statement.is(at, "FAMILY") && statement.is_mark(open, "(") && statement.is_name(open + 1)
}

/// `[UNIQUE|INVERTED] INDEX [name] (…) …`, and `UNIQUE (…) WHERE …`, as a `CREATE INDEX`.
fn index_element(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    table: &str,
) -> Result<Option<String>, Stop> {
    let mut at = from;
    let mut named = None;
    if statement.is(at, "CONSTRAINT") && statement.is(at + 2, "UNIQUE") {
        named = Some(statement.slice(at + 1, at + 2).into_owned());
        at += 2;
    }
    let unique = statement.is(at, "UNIQUE");
    at += usize::from(unique);
    if unique && statement.is_mark(at, "(") {
        let partial = statement.find(at, to, |i| statement.is(i, "WHERE")).is_some();
        if !partial {
            return Ok(None);
        }
    } else {
        if statement.is(at, "VECTOR") && statement.is(at + 1, "INDEX") {
            return Err(Refusal::cluster_only("make vector indexes").into());
        }
        let inverted = statement.is(at, "INVERTED") && statement.is(at + 1, "INDEX");
        at += usize::from(inverted);
        if !statement.is(at, "INDEX") {
            return Ok(None);
        }
        at += 1;
        if statement.are(at, &["IF", "NOT", "EXISTS"]) {
            at += 3;
        }
        if statement.is_name(at) && statement.is_mark(at + 1, "(") {
            // "index varchar(10)" is a column.
            if statement.kind(at + 2) == Some(kecoa_sql::TokenKind::Number) {
                return Ok(None);
            }
            named = Some(statement.slice(at, at + 1).into_owned());
            at += 1;
        }
        if !statement.is_mark(at, "(") {
            return Ok(None);
        }
        if inverted {
            let name = named.unwrap_or_default();
            let rest = statement.slice(at, to);
            return Ok(Some(format!("CREATE INVERTED INDEX {name} ON {table} {rest}")));
        }
    }
    let closing = statement.partner(at).unwrap_or(to);
    let name = named.unwrap_or_else(|| {
        if !unique {
            return String::new(); // PostgreSQL's own name is CockroachDB's: table_column_idx
        }
        index_clauses::implicit_name(statement, table, at + 1, closing, "key")
    });
    let kind = if unique { "UNIQUE INDEX" } else { "INDEX" };
    Ok(Some(format!("CREATE {kind} {name} ON {table} {}", statement.slice(at, to))))
}

/// A column's definition: name, type, qualifiers.
fn column(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    edits: &mut Edits,
) -> Result<(), Stop> {
    if !statement.is_name(from) {
        return Ok(());
    }
    types::rewrite(statement, from + 1, true, edits);
    let mut at = from + 2;
    while at < to {
        if statement.is(at, "AS") && statement.is_mark(at + 1, "(") {
            if !statement.is(at - 1, "ALWAYS") {
                edits.insert(statement.start(at), "GENERATED ALWAYS ");
            }
        } else if statement.is(at, "FAMILY") {
            let mut first = at;
            if first >= 3 && statement.are(first - 3, &["IF", "NOT", "EXISTS"]) {
                first -= 3;
            }
            if statement.is(first - 1, "CREATE") {
                first -= 1;
            }
            let named = at + 1 < to && statement.is_name(at + 1);
            let last = if named { at + 1 } else { at };
            edits.replace(statement.start(first), statement.end(last), "");
            at = last;
        } else if statement.are(at, &["ON", "UPDATE"])
            && !statement.is_any(at + 2, &["CASCADE", "RESTRICT", "NO"])
            && !(statement.is(at + 2, "SET") && statement.is_any(at + 3, &["NULL", "DEFAULT"]))
        {
            return Err(Refusal::cluster_only("fill a column ON UPDATE").into());
        } else if statement.are(at, &["NOT", "VISIBLE"]) {
            return Err(Refusal::cluster_only("hide a column (NOT VISIBLE)").into());
        } else if statement.are(at, &["USING", "HASH"]) {
            index_clauses::hash_sharding(statement, at, to, edits);
        } else if statement.are(at, &["PRIMARY", "KEY"]) && statement.is_any(at + 2, ORDER) {
            edits.replace(statement.start(at + 2), statement.end(at + 2), "");
        }
        at = statement.skip(at);
    }
    Ok(())
}

const ORDER: &[&str] = &["ASC", "DESC"];

/// A table constraint: no order of columns in keys, `STORING` -> `INCLUDE`, no hash sharding.
fn constraint(statement: &Statement<'_>, from: usize, to: usize, edits: &mut Edits) {
    let key = statement
        .find(from, to, |i| statement.are(i, &["PRIMARY", "KEY"]) || statement.is(i, "UNIQUE"));
    let Some(key) = key else { return };
    let Some(open) = statement.find(key, to, |i| statement.is_mark(i, "(")) else { return };
    let Some(closing) = statement.partner(open) else { return };
    for (_, end) in statement.elements(open + 1, closing) {
        if statement.is_any(end - 1, ORDER) && end >= 2 {
            edits.replace(statement.end(end - 2), statement.end(end - 1), "");
        }
    }
    index_clauses::trailer(statement, closing + 1, to, edits);
}

/// What stands behind the brackets.
fn trailer(statement: &Statement<'_>, from: usize, edits: &mut Edits) -> Result<(), Stop> {
    let to = statement.len();
    let query = statement.find(from, to, |i| statement.is(i, "AS"));
    partition::refuse(statement, from, query.unwrap_or(to), "partition tables")?;
    let mut at = from;
    while at < to {
        if statement.is(at, "AS") {
            break;
        }
        if statement.is(at, "LOCALITY") {
            at = region::locality(statement, at, edits);
            continue;
        }
        if statement.is(at, "INTERLEAVE") {
            return Err(Refusal::cluster_only("interleave tables").into());
        }
        if statement.is(at, "WITH") && statement.is_mark(at + 1, "(") {
            let closing = statement.partner(at + 1).unwrap_or(at + 1);
            let foreign = statement
                .elements(at + 2, closing)
                .into_iter()
                .any(|(start, _)| statement.name(start).is_some_and(|n| is_storage(&n)));
            if foreign {
                edits.replace(statement.start(at), statement.end(closing), "");
                let what = statement.slice(at + 2, closing);
                edits.add_notice(format!("the local endpoint ignores storage parameters: {what}"));
            }
        }
        at = statement.skip(at);
    }
    Ok(())
}

/// CockroachDB's storage parameters, which PostgreSQL would refuse.
fn is_storage(name: &str) -> bool {
    name.starts_with("ttl")
        || name.starts_with("sql_stats_")
        || matches!(
            name,
            "schema_locked" | "exclude_data_from_backup" | "infer_rbr_region_col_using_constraint"
        )
}

/// `ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (…) [USING HASH …]` alone; `None` for other
/// statements.
pub(super) fn alter_primary_key(statement: &Statement<'_>) -> Option<Analysis> {
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
    let columns = statement
        .elements(open + 1, closing)
        .into_iter()
        .map(|(from, _)| statement.name(from).map(|column| quote(&column)))
        .collect::<Option<Vec<_>>>()?
        .join(", ");
    let table = quote(&statement.slice(name, at));
    let body = format!(
        "BEGIN PERFORM crdb_internal.alter_primary_key({table}::pg_catalog.regclass, \
         ARRAY[{columns}]); END"
    );
    let piece = Piece::tagged(format!("DO {}", quote(&body)), "ALTER TABLE");
    Some(Analysis::piece(Class::Definition, piece))
}

/// Rewrites the commands of `ALTER TABLE`; returns what to say when the whole is ignored.
pub(super) fn alter(statement: &Statement<'_>, edits: &mut Edits) -> Result<Option<String>, Stop> {
    let mut at = 2;
    if statement.are(at, &["IF", "EXISTS"]) {
        at += 2;
    }
    at += usize::from(statement.is(at, "ONLY"));
    let Some(from) = statement.qualified_name(at) else {
        return Ok(None);
    };
    for (start, end) in statement.elements(from, statement.len()) {
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
                constraint(statement, at, end, edits);
                continue;
            }
            at += usize::from(statement.is(at, "COLUMN"));
            if statement.are(at, &["IF", "NOT", "EXISTS"]) {
                at += 3;
            }
            column(statement, at, end, edits)?;
        } else if statement.is(start, "ALTER") {
            let at = start + 1 + usize::from(statement.is(start + 1, "COLUMN"));
            if statement.is(at + 1, "TYPE") {
                types::rewrite(statement, at + 2, false, edits);
            } else if statement.are(at + 1, &["SET", "DATA", "TYPE"]) {
                types::rewrite(statement, at + 4, false, edits);
            }
        }
    }
    Ok(None)
}
